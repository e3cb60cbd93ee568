import { onAnyNode } from './any-node.ts';
import { readObject } from './body.ts';
import { strangeAnswer } from './errors.ts';
import { type Choice, type Filters, type Paging, queryOf, type Window } from './filters.ts';
import { ask, type ClientParts } from './http.ts';
import { clientLimits } from './limits.ts';
import {
  type FeedRow,
  type IndicatorRecord,
  type Page,
  readFeedRow,
  readPage,
  readRecord,
  readValueAnswer,
  type ValueAnswer,
} from './records.ts';

type Call = { readonly signal?: AbortSignal | undefined };

/** What is asked for about several values. */
export type SearchOptions = Filters &
  Window &
  Call & {
    /** What answers beside the value: `all`, `none`, `covers,host`, `!url` (docs/queries.md). */
    readonly related?: Choice | undefined;
    /** Records of each value. */
    readonly limit?: number | string | undefined;
    /** Leave no trace of this question: no search event either. */
    readonly nolog?: boolean | undefined;
  };

/** What is asked for about one value. */
export type SearchOneOptions = SearchOptions &
  Paging & {
    /** `reporttime`, `lasttime`, `confidence`, `indicator`; `-lasttime` is the last first. */
    readonly sort?: string | undefined;
  };

export type FeedOptions = Filters & Window & Paging & Call;

/** One page of what is known about a value, a pattern or a list of them. */
export async function searchOne(
  parts: ClientParts,
  q: string,
  { signal, ...options }: SearchOneOptions,
): Promise<Page<IndicatorRecord>> {
  return page(parts, queryOf({ q, ...options }), readRecord, signal);
}

/** One page of a feed. */
export async function feed(parts: ClientParts, { signal, ...options }: FeedOptions): Promise<Page<FeedRow>> {
  return page(parts, queryOf(options), readFeedRow, signal);
}

function page<Row>(
  parts: ClientParts,
  query: URLSearchParams,
  readRow: (value: unknown) => Row | undefined,
  signal: AbortSignal | undefined,
): Promise<Page<Row>> {
  return onAnyNode(parts.turn, async (node) => {
    const response = await ask(parts, node, '/indicators', { query, headers: json, signal });
    return readPage(await readObject(response, { node, clock: parts.clock, signal }), readRow, node.url);
  });
}

/** What is known about each of several values, in their order; a thousand are asked about in one request. */
export async function searchMany(
  parts: ClientParts,
  values: readonly string[],
  { signal, ...options }: SearchOptions,
): Promise<readonly ValueAnswer[]> {
  const query = queryOf(options);
  const answers: ValueAnswer[] = [];
  for (let at = 0; at < values.length; at += clientLimits.searchValuesMax) {
    const lot = values.slice(at, at + clientLimits.searchValuesMax);
    const rows = await onAnyNode(parts.turn, async (node) => {
      const response = await ask(parts, node, '/indicators/search', {
        method: 'POST',
        query,
        headers: { ...json, 'content-type': 'application/json' },
        body: JSON.stringify({ indicators: lot }),
        signal,
      });
      const { data } = await readObject(response, { node, clock: parts.clock, signal });
      if (!Array.isArray(data) || data.length !== lot.length) {
        throw strangeAnswer(node.url, `answered about other values than were asked about`);
      }
      return data.map((row) => readValueAnswer(row, at, node.url));
    });
    answers.push(...rows);
  }
  return answers;
}

const json = { accept: 'application/json' } as const;
