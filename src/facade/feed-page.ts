import { createHash } from 'node:crypto';
import { feedRowFields } from '../feed/aggregate.ts';
import { rowEnd, type Slice } from '../feed/chunk.ts';
import { csvHeader } from '../feed/csv.ts';
import { feedDefaults, ruleOf } from '../feed/defaults.ts';
import { FeedUnavailable } from '../feed/errors.ts';
import type { FeedPage } from '../feed/kept-feed.ts';
import { readPlace } from '../feed/order-key.ts';
import type { FeedQuestion } from '../feed/question.ts';
import { itypes } from '../indicator/types.ts';
import { writeCursor } from '../query/cursor.ts';
import { createLastModified, isNotModified, validatorHeaders } from './conditional.ts';
import type { Format } from './negotiation.ts';
import { contentTypes, jsonAfter, jsonBefore, streamCursorHeader } from './page.ts';
import { filterFrom } from './parameters.ts';
import type { FacadeParts } from './parts.ts';
import { Problem } from './problem.ts';
import { cursorOf, type Question } from './question.ts';
import { codingFor, respond } from './rendering.ts';

const retryAfterS = 5;
/** Instead of the kind's days when the question states times. */
const wholeTimeMs = Number.MAX_SAFE_INTEGER;
/** Pages of which it is known when they changed last, although they are not kept. */
const pagesRemembered = 256;

/** Answers feed mode. `streamCursor` was taken before. Throws Problem 400, 406, 503. */
export type FeedAnswer = (
  values: Question,
  request: Request,
  format: Format,
  streamCursor: string,
) => Promise<Response>;

export function createFeedAnswer({ feeds, clock }: Pick<FacadeParts, 'feeds' | 'clock'>): FeedAnswer {
  const lastModified = createLastModified(pagesRemembered);
  return async (values, request, format, streamCursor) => {
    const coding = codingFor(request);
    const { cursor, limit: asked, ...question } = values;
    const limit = asked ?? feedDefaults.limit;
    const after = cursor === undefined ? undefined : readPlace(cursorOf(cursor, question));
    const feedQuestion = feedQuestionOf(values, clock.wallMs());
    const page = await orUnavailable(() =>
      feeds.page(feedQuestion, { limit, ...(after !== undefined && { after }) }),
    );
    const meta = metaOf(page, values, question);
    // Of JSON `meta` is a part.
    const content = digestOf(page.digest, format, format === 'json' ? JSON.stringify(meta) : '');
    const name = JSON.stringify([question, limit, cursor, format]);
    const modifiedMs = lastModified(name, content, clock.wallMs());
    const validators = {
      // Other bytes have another tag (RFC 9110, section 8.8.3.3).
      etag: coding === 'identity' ? content : `${content}-${coding}`,
      // `meta` has the stream's cursor as well, which is another one each time and on each node.
      isWeak: format === 'json',
      ...(modifiedMs !== undefined && { modifiedMs }),
    };
    const headers = {
      ...validatorHeaders(validators),
      'cache-control': 'private, no-cache',
      'tocsin-mode': 'feed',
      [streamCursorHeader]: streamCursor,
      'tocsin-defaults': JSON.stringify(meta.defaults),
      'tocsin-allowlisted': String(page.allowlisted.count),
      ...(meta.next !== undefined && { 'tocsin-next': meta.next }),
    };
    if (isNotModified(request, validators))
      return new Response(null, { status: 304, headers: { vary: 'accept, accept-encoding', ...headers } });
    const contentType = contentTypes[format];
    return respond(
      { contentType, headers, bytes: bytesOf(page.slices, format, { ...meta, stream_cursor: streamCursor }) },
      coding,
    );
  };
}

/** What the parameters ask of a feed. */
export function feedQuestionOf(values: Question, nowMs: number): FeedQuestion {
  const { tags, confidence, since, ...statements } = filterFrom(values, 'observed', nowMs);
  return {
    statements,
    ...(tags && { tags }),
    confidence: confidence ?? { min: feedDefaults.confidence, max: 10 },
    ...(since && { window: { of: since.window, ms: isRelative(values) ? nowMs - since.ms : wholeTimeMs } }),
  };
}

/** Not a window that begins at a stated time: that is among what a statement must be, and the same whenever it is asked. */
function isRelative({ days, hours }: Question): boolean {
  return days !== undefined || hours !== undefined;
}

/** Throws Problem 503 while there is no allowlist. */
export async function orUnavailable<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof FeedUnavailable)) throw error;
    throw new Problem(
      503,
      'the allowlist is not loaded, and a feed without it could block what must not be blocked: ask again',
      {},
      { 'retry-after': String(retryAfterS) },
    );
  }
}

function metaOf(page: FeedPage, values: Question, question: unknown) {
  const { count, next, allowlisted, tooLarge } = page;
  const asked = isRelative(values) || values.observed !== undefined;
  const kinds = values.itype ?? itypes;
  const largest = kinds.flatMap((itype) => {
    const { prefixMin } = ruleOf(itype);
    return prefixMin === undefined ? [] : [[itype, prefixMin]];
  });
  return {
    mode: 'feed',
    defaults: {
      ...(values.confidence === undefined && { confidence: feedDefaults.confidence }),
      ...(!asked && { days: Object.fromEntries(kinds.map((itype) => [itype, ruleOf(itype).days])) }),
      ...(values.limit === undefined && { limit: feedDefaults.limit }),
      ...(largest.length > 0 && { largest_prefix: Object.fromEntries(largest) }),
    },
    count,
    ...(next !== undefined && { next: writeCursor(next, question) }),
    allowlisted,
    too_large: tooLarge,
  };
}

function digestOf(...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 32);
}

function* bytesOf(
  slices: readonly Slice[],
  format: Format,
  meta: Readonly<Record<string, unknown>>,
): Generator<Uint8Array> {
  switch (format) {
    case 'ndjson':
      for (const { ndjson } of slices) yield ndjson();
      return;
    case 'csv':
      yield Buffer.from(csvHeader(feedRowFields));
      for (const { csv } of slices) yield csv();
      return;
    case 'json':
      yield Buffer.from(jsonBefore(meta));
      for (const [i, { json }] of slices.entries())
        yield i === slices.length - 1 ? json.subarray(0, -rowEnd.length) : json;
      yield Buffer.from(jsonAfter);
      return;
    default:
      format satisfies never;
  }
}
