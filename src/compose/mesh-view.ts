import type { Mesh, PeerId, PeerView, QueuedEvent } from 'tocsin/mesh';
import type { MeshEventRow, PeerRow } from '../facade/mesh-rows.ts';

/** Version and HTTP address of a Tocsin node, in its HELLO. */
export const tocsinHeader = 'X-TOCSIN';

/** The peers of a mesh as `GET /mesh/peers` shows them. */
export function peerRows(mesh: Mesh): readonly PeerRow[] {
  return mesh.peers().map((peer) => ({
    ...introductionOf(peer),
    ready: peer.ready,
    found_by: peer.foundBy,
    last_heard_ms: Math.max(0, Math.round(peer.silentMs)),
    ...(peer.roundTripMs !== undefined && { round_trip_ms: Math.round(peer.roundTripMs * 100) / 100 }),
    queued_messages: peer.queuedMessages,
    queued_bytes: peer.queuedBytes,
  }));
}

/** What happens in a mesh, as `GET /mesh/events` shows it. Whispers and shouts are no part of it. */
export async function* eventRows(
  mesh: Mesh,
  wallMs: () => number,
  signal: AbortSignal,
): AsyncGenerator<MeshEventRow> {
  for await (const event of mesh.events({ signal, content: false })) {
    const row = eventRow(event, new Date(wallMs()).toISOString(), mesh);
    if (row !== undefined) yield row;
  }
}

function eventRow(event: QueuedEvent, time: string, mesh: Mesh): MeshEventRow | undefined {
  /** The name is there as long as the peer is. */
  const about = (id: PeerId) => ({ id: id.toLowerCase(), name: mesh.peer(id)?.name ?? '' });
  const { kind } = event;
  switch (kind) {
    case 'peer-entered':
      return { kind, time, ...introductionOf(event.peer) };
    case 'peer-exited':
      return { kind, time, id: event.id.toLowerCase(), name: event.name, reason: event.reason };
    case 'peer-joined':
    case 'peer-left':
      return { kind, time, ...about(event.id), group: event.group };
    case 'peer-silent':
    case 'peer-heard':
      return {
        kind,
        time,
        id: event.id.toLowerCase(),
        name: event.name,
        silent_ms: Math.round(event.silentMs),
      };
    case 'outbox-full':
    case 'outbox-drained':
      return { kind, time, ...about(event.id), dropped: event.droppedMessages };
    case 'stranger-refused':
      return { kind, time, reason: event.reason };
    case 'turned-away':
      return { kind, time, endpoint: event.endpoint };
    case 'inbox-full':
      return { kind, time, dropped: event.droppedEvents };
    case 'whisper':
    case 'shout':
      return undefined;
    default:
      return event satisfies never;
  }
}

function introductionOf({
  id,
  name,
  endpoint,
  headers,
  groups,
}: Pick<PeerView, 'id' | 'name' | 'endpoint' | 'headers' | 'groups'>) {
  const [version, http] = headers.get(tocsinHeader)?.split(' ') ?? [];
  return {
    id: id.toLowerCase(),
    name,
    endpoint,
    ...(version !== undefined && { version }),
    ...(http !== undefined && { http }),
    groups,
  };
}
