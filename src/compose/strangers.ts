import type { HandshakeRefusal, Mesh } from 'tocsin/mesh';
import type { Logger } from '../telemetry/log.ts';

/** Once for each reason: whoever reaches the port can come again and again, and the metrics count them. */
export function warnOfStrangers(mesh: Mesh, hasKey: boolean, log: Logger): void {
  const warned = new Set<string>();
  function warnOnce(about: string, details: Record<string, unknown>, sentence: string): void {
    if (warned.has(about)) return;
    warned.add(about);
    log.warn(details, sentence);
  }
  mesh.subscribe((event) => {
    if (event.kind === 'stranger-refused') {
      warnOnce(event.reason, { reason: event.reason }, strangerSentence(event.reason, hasKey));
    } else if (event.kind === 'turned-away') {
      warnOnce(event.endpoint, { seed: event.endpoint }, turnedAwaySentence(hasKey));
    }
  });
}

function strangerSentence(reason: HandshakeRefusal, hasKey: boolean): string {
  if (reason === 'bad-handshake')
    return 'something that is no node connected to the mesh port, and was turned away';
  if (!hasKey)
    return 'a node with a mesh key was turned away: this one has none; give all nodes the same TOCSIN_MESH_KEY';
  return reason === 'no-key'
    ? 'a node without a mesh key was turned away; if it is yours, give it this mesh’s TOCSIN_MESH_KEY'
    : 'a node with another mesh key was turned away; if it is yours, give it this mesh’s TOCSIN_MESH_KEY, or set TOCSIN_MESH_KEY_PREVIOUS while keys rotate';
}

function turnedAwaySentence(hasKey: boolean): string {
  return hasKey
    ? 'a seed does not let this node in: its TOCSIN_MESH_KEY is another one, or it has none'
    : 'a seed does not let this node in: its mesh has a key; set TOCSIN_MESH_KEY to it';
}
