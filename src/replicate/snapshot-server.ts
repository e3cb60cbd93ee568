import { createHash } from 'node:crypto';
import type { Clock, PeerId } from 'tocsin/mesh';
import type { IndicatorStore } from '../store/store.ts';
import type { ReplicateLimits } from './limits.ts';
import type { ReplicationMessage } from './message.ts';
import type { KnownChunk, SnapshotMessage } from './snapshot-message.ts';

export type SnapshotServerParts = {
  readonly store: IndicatorStore;
  readonly clock: Clock;
  readonly limits: ReplicateLimits;
  /** False while this node's own records are not whole. */
  readonly canServe: () => boolean;
  /** False when it cannot be sent. */
  readonly send: (to: PeerId, message: ReplicationMessage) => boolean;
};

/** Reads snapshots for peers, each at the peer's pace. */
export interface SnapshotServer {
  hear(from: PeerId, message: Extract<SnapshotMessage, { kind: 'fetch' | 'more' }>): void;
  /** The peer is gone, and its snapshot with it. */
  left(peer: PeerId): void;
  stop(): Promise<void>;
}

type Reader = { readonly request: number; creditBytes: number; ended: boolean; wake: () => void };

export function createSnapshotServer(parts: SnapshotServerParts): SnapshotServer {
  const { store, clock, limits, canServe, send } = parts;
  const readers = new Map<PeerId, Reader>();
  const tasks = new Set<Promise<void>>();

  function end(peer: PeerId): void {
    const reader = readers.get(peer);
    if (reader === undefined) return;
    readers.delete(peer);
    reader.ended = true;
    reader.wake();
  }

  /** Resolves when there is credit again; false when there will be none. */
  async function hasCredit(reader: Reader): Promise<boolean> {
    if (reader.creditBytes <= 0 && !reader.ended) {
      await new Promise<void>((resolve) => {
        const timer = clock.after(limits.answerMsMax, () => {
          reader.ended = true;
          resolve();
        });
        reader.wake = () => {
          timer.stop();
          resolve();
        };
      });
      reader.wake = () => {};
    }
    return !reader.ended;
  }

  async function serve(to: PeerId, reader: Reader, known: readonly KnownChunk[]): Promise<void> {
    const { request } = reader;
    await using source = await store.snapshot();
    const digests = createHash('sha256');
    let at = 0;
    while (await hasCredit(reader)) {
      const expected = known[at];
      const chunk = await source.next(limits.chunkBytes, expected?.end);
      digests.update(chunk.digest);
      if (chunk.end === expected?.end || chunk.last) at++;
      const same = chunk.end === expected?.end && Buffer.compare(chunk.digest, expected.digest) === 0;
      const texts = same ? undefined : chunk.bytes;
      reader.creditBytes -= texts?.byteLength ?? 0;
      if (!send(to, { kind: 'chunk', request, records: source.records, end: chunk.end, texts })) return;
      if (chunk.last) {
        send(to, { kind: 'done', request, state: { digest: digests.digest(), state: source.state } });
        return;
      }
    }
  }

  return {
    hear(from, message) {
      if (message.kind === 'more') {
        const reader = readers.get(from);
        if (reader?.request !== message.request) return;
        reader.creditBytes = Math.min(reader.creditBytes + message.creditBytes, limits.creditBytesMax);
        reader.wake();
        return;
      }
      end(from);
      const { request, creditBytes, known } = message;
      if (!canServe() || readers.size >= limits.snapshotReadersMax) {
        send(from, { kind: 'done', request, state: undefined });
        return;
      }
      const reader: Reader = {
        request,
        creditBytes: Math.min(creditBytes, limits.creditBytesMax),
        ended: false,
        wake: () => {},
      };
      readers.set(from, reader);
      const task = serve(from, reader, known)
        // The store is closing, or broken; the peer asks somebody else.
        .catch(() => void send(from, { kind: 'done', request, state: undefined }))
        .finally(() => {
          tasks.delete(task);
          if (readers.get(from) === reader) readers.delete(from);
        });
      tasks.add(task);
    },
    left: end,
    async stop() {
      for (const peer of [...readers.keys()]) end(peer);
      await Promise.all(tasks);
    },
  };
}
