import { onAnyNode } from './any-node.ts';
import { linesOf } from './body.ts';
import { sleep } from './clock.ts';
import { type Closable, closable } from './closable.ts';
import { ClientError, mayPass, strangeAnswer } from './errors.ts';
import { type Filters, queryOf } from './filters.ts';
import { ask, type ClientParts } from './http.ts';
import { clientLimits } from './limits.ts';
import type { ClientNode } from './nodes.ts';
import { type IndicatorRecord, readRecord } from './records.ts';
import { parseObject } from './values.ts';

export type SnapshotOptions = Filters & {
  /** Only what answers this question, as for `stream({ q })`. */
  readonly q?: string | undefined;
  /** Rejects with ClientError `aborted`: a snapshot that just ended would look whole. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * All records of one node, in the order of their values. They and the stream after `cursor` are the whole truth: what changes
 * while the snapshot is read is in the stream.
 */
export type Snapshot = Closable<IndicatorRecord> & {
  /** Where the stream goes on. Throws ClientError `usage` until the last record was handed out. */
  readonly cursor: string;
};

/** The snapshot of `createClient(...).snapshot`. */
export function openSnapshot(
  parts: ClientParts,
  { signal: until, q, ...filters }: SnapshotOptions,
): Snapshot {
  let cursor: string | undefined;
  let isWhole = false;

  async function* records(signal: AbortSignal): AsyncGenerator<IndicatorRecord, void> {
    // Nobody asked: it is no search. In the order of values no record moves while the pages are read.
    const query = queryOf({
      nofeed: true,
      nolog: true,
      q,
      ...(q === undefined && { sort: 'indicator' }),
      ...filters,
    });
    query.set('limit', String(clientLimits.snapshotPageRecords));
    const first = await onAnyNode(parts.turn, async (node) => ({
      node,
      ...(await page(node, query, signal)),
    }));
    cursor = first.response.headers.get('tocsin-stream-cursor') ?? undefined;
    if (cursor === undefined) {
      await first.response.body?.cancel();
      throw strangeAnswer(first.node.url, 'does not say where its stream goes on after a snapshot');
    }
    let { response } = first;
    for (;;) {
      const next = response.headers.get('tocsin-next');
      yield* recordsOf(first.node, response, signal);
      if (next === null) break;
      query.set('cursor', next);
      ({ response } = await patiently(() => page(first.node, query, signal), signal));
    }
    isWhole = true;
  }

  async function page(node: ClientNode, query: URLSearchParams, signal: AbortSignal) {
    const headers = { accept: 'application/x-ndjson' };
    return { response: await ask(parts, node, '/indicators', { query, headers, signal }) };
  }

  /** The pages of another node do not go with this one's cursor, so this one is waited for. */
  async function patiently<T>(asking: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await asking();
      } catch (error) {
        if (!mayPass(error) || attempt >= clientLimits.snapshotAttemptsMax) throw error;
        const cap = Math.min(clientLimits.backoffMsFirst * 2 ** attempt, clientLimits.backoffMsMax);
        await sleep(parts.clock, Math.max(parts.random() * cap, error.retryAfterMs ?? 0), signal);
      }
    }
  }

  /** One page. A page that breaks off is fatal, as its records were handed out: the caller begins anew. */
  async function* recordsOf(
    node: ClientNode,
    response: Response,
    signal: AbortSignal,
  ): AsyncGenerator<IndicatorRecord, void> {
    for await (const line of linesOf(response, { node, clock: parts.clock, signal })) {
      const record = readRecord(parseObject(line));
      if (record === undefined) throw strangeAnswer(node.url, 'answered without records');
      yield record;
    }
  }

  const snapshot = closable(records, until);
  return {
    ...snapshot,
    get cursor() {
      if (isWhole && cursor !== undefined) return cursor;
      throw new ClientError(
        'usage',
        'The snapshot is not read to its end: its cursor would leave records out.',
      );
    },
  };
}
