import { z } from '@hono/zod-openapi';
import { accept, type Parsed } from '../parsed.ts';
import { type AskedCode, readAsked } from '../query/asked.ts';
import { watchOf } from '../query/watch.ts';
import type { ReadingRequest } from '../stream/reading.ts';
import type { StreamFilter } from '../stream/stream-filter.ts';
import { type Topic, topics } from '../stream/subject.ts';
import { chosenFrom } from './choice.ts';
import { filterFrom, filterParameters, read } from './parameters.ts';
import { Problem } from './problem.ts';

/** Watched values are looked at for each message; a hundred of them are this long at most. */
const watchCharactersMax = 8_192;
const cursorCharactersMax = 100;
const ticketCharactersMax = 100;

/** The parameters that all transports of the stream have. */
export const streamParameters = {
  kind: read((text) => chosenFrom(text, topics))
    .optional()
    .openapi({
      description:
        'Kinds of message: any of `a,b`, without `!a`. `enrich` is reserved, and nothing sends it yet.',
      example: 'indicator,search',
    }),
  q: z
    .string()
    .min(1, 'allowed is an indicator')
    .max(watchCharactersMax, `allowed are ${watchCharactersMax} characters`)
    .optional()
    .openapi({
      description:
        'Watches a value: an address, a network, a domain, a URL, an e-mail address, a hash, or a pattern of names; up to 100 of ' +
        'them between commas. What is of it, covers it, lies inside it or below it, is at it, or is its host comes through.',
      examples: ['192.0.2.0/24', 'example.com'],
    }),
  ...filterParameters,
  cursor: z
    .string()
    .max(cursorCharactersMax, 'it is no cursor; leave it out to begin now')
    .optional()
    .openapi({
      description: 'Go on after this cursor, of this node or of another one. Without it: from now on.',
    }),
  ticket: z
    .string()
    .max(ticketCharactersMax)
    .optional()
    .openapi({ description: 'Of `POST /stream/ticket`, where no header can be sent' }),
};

const streamQuery = z.strictObject(streamParameters);
type StreamValues = z.output<typeof streamQuery>;

/** What they let through; or what is wrong with `q`. */
export function streamFilterOf(
  values: Omit<StreamValues, 'cursor' | 'ticket' | 'nolog'>,
): Parsed<StreamFilter, AskedCode> {
  const { kind, q, itype } = values;
  const asked = q === undefined ? undefined : readAsked(q, itype?.length === 1 ? itype[0] : undefined);
  if (asked?.ok === false) return asked;
  return accept({
    ...(kind && { kinds: kind }),
    ...(asked && { watch: watchOf(asked.value) }),
    // No times: a stream is what comes.
    filter: filterFrom(values, 'reported', 0),
  });
}

/** What a reader asked for. Throws Problem 400. */
export function readingRequest(
  values: StreamValues,
  request: Request,
  stopping: AbortSignal | undefined,
): ReadingRequest {
  const { kind, cursor } = values;
  const filter = streamFilterOf(values);
  if (!filter.ok) {
    throw new Problem(400, `q: ${filter.reason}`, { errors: [{ parameter: 'q', detail: filter.reason }] });
  }
  return {
    filter: filter.value,
    // What a browser's EventSource comes back with is newer than what its address says.
    cursor: request.headers.get('last-event-id') ?? cursor,
    snapshot: snapshotPath(new URL(request.url).searchParams, kind),
    signal: stopping,
  };
}

/** Where what the filter lets through can be read as it is now; the answer says the cursor that goes on from there. */
function snapshotPath(asked: URLSearchParams, kinds: readonly Topic[] | undefined): string {
  if (kinds?.every((kind) => kind === 'search')) return '/searches';
  const query = new URLSearchParams(asked.has('q') ? {} : { nofeed: '1', sort: 'indicator' });
  for (const [name, value] of asked) {
    if (name === 'q' || (name in filterParameters && name !== 'nolog')) query.append(name, value);
  }
  query.set('nolog', '1');
  return `/indicators?${query}`;
}
