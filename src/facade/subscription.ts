import { z } from '@hono/zod-openapi';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { readAsked } from '../query/asked.ts';
import { watchOf } from '../query/watch.ts';
import type { StreamFilter } from '../stream/stream-filter.ts';
import { topics } from '../stream/subject.ts';
import { chosenFrom } from './choice.ts';
import { filterFrom, filterParameters, read } from './parameters.ts';

const { nolog: _, ...filters } = filterParameters;
const schema = z.strictObject({
  ...filters,
  kind: read((text) => chosenFrom(text, topics)).optional(),
  q: z.string().min(1).max(2_048).optional(),
});

/** Reads the query of a subscription, `kind=search&tags=phishing`, as the stream's routes do; or says what is wrong in it. */
export function readSubscription(query: string): Parsed<StreamFilter, 'bad-subscription'> {
  const parsed = schema.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (!parsed.success) {
    const reasons = parsed.error.issues.map((issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.keys.join(', ')}: there is no such filter; there are ${Object.keys(schema.shape).join(', ')}`
        : `${issue.path.join('.')}: ${issue.message}`,
    );
    return refuse('bad-subscription', reasons.join('; '));
  }
  const { kind, q, ...values } = parsed.data;
  const asked = q === undefined ? undefined : readAsked(q, undefined);
  if (asked?.ok === false) return refuse('bad-subscription', `q: ${asked.reason}`);
  return accept({
    ...(kind && { kinds: kind }),
    ...(asked && { watch: watchOf(asked.value) }),
    // A subscription has no window: it begins when it is made.
    filter: filterFrom(values, 'reported', 0),
  });
}
