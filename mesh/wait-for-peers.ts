import { MeshError } from './errors.ts';
import type { MeshEvent } from './events.ts';
import type { PeerId } from './ids.ts';

export type WaitForPeersOptions = {
  /** Peers that are in this group; without it any peer that entered counts. */
  readonly group?: string;
  /** 1 unless stated. */
  readonly count?: number;
  /** Gives up, e.g. `AbortSignal.timeout(10_000)`. Without it the wait lasts until the mesh stops. */
  readonly signal?: AbortSignal;
};

export type WaitForPeersParts = {
  /** Peers that entered and, if a group is named, are in it. */
  readonly present: (group: string | undefined) => readonly PeerId[];
  readonly subscribe: (listener: (event: MeshEvent) => void) => () => void;
  readonly onStopped: (ended: () => void) => () => void;
};

/**
 * Resolves with the peers that are there once they are `count` or more: a SHOUT reaches only those whose JOIN has come, so
 * whoever shouts right after the start shouts to nobody. Rejects with MeshError NOT_ENOUGH_PEERS when `signal` aborts
 * first, STOPPED when the mesh stops.
 */
export function waitForPeers(
  { present, subscribe, onStopped }: WaitForPeersParts,
  { group, count = 1, signal }: WaitForPeersOptions = {},
): Promise<readonly PeerId[]> {
  return new Promise((resolve, reject) => {
    const undo: (() => void)[] = [];
    let settled = false;

    function settle(act: () => void): void {
      if (settled) return;
      settled = true;
      for (const each of undo) each();
      act();
    }
    function look(): void {
      const peers = present(group);
      if (peers.length >= count) settle(() => resolve(peers));
    }
    function giveUp(): void {
      const where = group === undefined ? '' : ` in the group ${group}`;
      const sentence =
        `${present(group).length} of ${count} peers${where} came in time: see that they run, share a way of discovery ` +
        `and the mesh key with this node${group === undefined ? '' : ', and join the group'}`;
      settle(() => reject(new MeshError('NOT_ENOUGH_PEERS', sentence, { cause: signal?.reason })));
    }

    look();
    if (settled) return;
    undo.push(
      subscribe((event) => {
        if (event.kind === 'peer-entered' || event.kind === 'peer-joined') look();
      }),
    );
    undo.push(
      onStopped(() =>
        settle(() =>
          reject(
            new MeshError('STOPPED', 'the mesh stopped while peers were awaited: wait before you stop it'),
          ),
        ),
      ),
    );
    signal?.addEventListener('abort', giveUp);
    undo.push(() => signal?.removeEventListener('abort', giveUp));
    if (signal?.aborted) giveUp();
    // What happened while this was set up has undone nothing of what came later.
    if (settled) for (const each of undo) each();
  });
}
