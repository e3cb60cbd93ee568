import { createHash, type Hash } from 'node:crypto';
import type { PeerId } from 'tocsin/mesh';
import { isBehind } from '../store/keys.ts';
import { lastEnd, readTexts, type SnapshotSink } from '../store/snapshot.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { ReplicateLimits } from './limits.ts';
import type { ReplicationMessage } from './message.ts';
import type { KnownChunk, SnapshotMessage } from './snapshot-message.ts';

export type SnapshotReceiverParts = {
  readonly store: IndicatorStore;
  readonly limits: ReplicateLimits;
  readonly send: (to: PeerId, message: ReplicationMessage) => boolean;
  readonly onCame: (request: number, records: number, total: number) => void;
  /** `isFirst` when all that this node had before is in its log still. */
  readonly onInstalled: (isFirst: boolean) => void;
  /** `reason` is a sentence. */
  readonly onFailed: (request: number, reason: string) => void;
};

/** Takes a snapshot from one peer, and goes on with the next one when that fails. */
export interface SnapshotReceiver {
  fetch(from: PeerId, request: number): void;
  hear(from: PeerId, message: Extract<SnapshotMessage, { kind: 'chunk' | 'done' }>): void;
  stop(): Promise<void>;
}

type Chunk = KnownChunk & { readonly records: number };

/** One peer's answer, as far as it has come. */
type Attempt = {
  readonly from: PeerId;
  readonly request: number;
  /** What an earlier attempt has left, ascending. */
  readonly known: readonly Chunk[];
  readonly chunks: Chunk[];
  /** SHA-256 over the chunks' digests. */
  readonly digests: Hash;
  records: number;
  /** What came since the sender was told to go on. */
  owedBytes: number;
};

/** The window is opened again in so many parts. */
const creditParts = 4;

export function createSnapshotReceiver(parts: SnapshotReceiverParts): SnapshotReceiver {
  const { store, limits, send, onCame, onInstalled, onFailed } = parts;
  let sink: SnapshotSink | undefined;
  let attempt: Attempt | undefined;
  let work = Promise.resolve();
  /** The chunk before, which goes to the disk while this one is checked. A store whose write fails never writes again. */
  let writing = Promise.resolve();
  let stopped = false;

  /** One message after the other, whatever it waits for. */
  function inTurn(of: Attempt, task: () => Promise<void>): void {
    work = work.then(async () => {
      if (attempt !== of || stopped) return;
      try {
        await task();
      } catch (error) {
        fail(of, error instanceof Error ? error.message : String(error));
      }
    });
  }

  function fail(of: Attempt, reason: string): void {
    if (attempt !== of) return;
    attempt = { ...of, from: '' as PeerId };
    onFailed(of.request, reason);
  }

  async function begin(of: Attempt): Promise<void> {
    sink ??= await store.receiveSnapshot();
    const { from, request, known } = of;
    if (!send(from, { kind: 'fetch', request, creditBytes: limits.snapshotCreditBytes, known })) {
      fail(of, 'the peer cannot be asked');
    }
  }

  async function takeChunk(
    of: Attempt,
    { end, texts, records: total }: Extract<SnapshotMessage, { kind: 'chunk' }>,
  ): Promise<void> {
    const after = of.chunks.at(-1)?.end ?? '';
    if (end.length > limits.keyCharactersMax || after === lastEnd) throw new Error('a chunk is out of order');
    const chunk = texts === undefined ? knownChunk(of, after, end) : await put(after, end, texts);
    of.chunks.push(chunk);
    of.digests.update(chunk.digest);
    of.records += chunk.records;
    onCame(of.request, of.records, total);
    of.owedBytes += texts?.byteLength ?? 0;
    if (of.owedBytes < limits.snapshotCreditBytes / creditParts) return;
    send(of.from, { kind: 'more', request: of.request, creditBytes: of.owedBytes });
    of.owedBytes = 0;
  }

  async function put(after: string, end: string, texts: Uint8Array): Promise<Chunk> {
    const rows = readTexts(texts, after, end);
    if (rows === undefined) throw new Error('a record of it is no record');
    await writing;
    writing = sink?.put(after, end, rows) ?? Promise.resolve();
    // The next one hears of it.
    writing.catch(() => undefined);
    return { end, digest: createHash('sha256').update(texts).digest(), records: rows.length };
  }

  async function finish(of: Attempt, { state }: Extract<SnapshotMessage, { kind: 'done' }>): Promise<void> {
    if (state === undefined) throw new Error('the peer cannot give one now');
    if (of.chunks.at(-1)?.end !== lastEnd || Buffer.compare(of.digests.digest(), state.digest) !== 0) {
      throw new Error('its digest is not that of the chunks');
    }
    await writing;
    const { logWasWhole } = (await sink?.install(state.state)) ?? { logWasWhole: false };
    sink = undefined;
    attempt = undefined;
    onInstalled(logWasWhole);
  }

  return {
    fetch(from, request) {
      const known = attempt === undefined ? [] : leftBy(attempt);
      const next: Attempt = {
        from,
        request,
        known,
        chunks: [],
        digests: createHash('sha256'),
        records: 0,
        owedBytes: 0,
      };
      attempt = next;
      inTurn(next, () => begin(next));
    },
    hear(from, message) {
      const of = attempt;
      if (of === undefined || of.from !== from || of.request !== message.request) return;
      inTurn(of, () => (message.kind === 'chunk' ? takeChunk(of, message) : finish(of, message)));
    },
    async stop() {
      stopped = true;
      // What has come is removed when the store is opened again.
      await work;
      await writing.catch(() => undefined);
    },
  };
}

/** What is in the sink: what the attempt has put there, and behind it what was there before. */
function leftBy({ chunks, known }: Attempt): readonly Chunk[] {
  const end = chunks.at(-1)?.end ?? '';
  return [...chunks, ...known.filter((chunk) => chunk.end > end)];
}

function knownChunk({ known }: Attempt, after: string, end: string): Chunk {
  const at = known.findIndex((chunk) => chunk.end === end);
  const chunk = known[at];
  // What it covers begins where the one before it ends; what this answer has replaced of that is behind us.
  if (chunk === undefined || isBehind(known[at - 1]?.end ?? '', after)) {
    throw new Error('it names a chunk that is not here');
  }
  return chunk;
}
