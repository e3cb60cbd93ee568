import { z } from '@hono/zod-openapi';
import { type Parsed, refuse } from '../parsed.ts';
import type { StreamFilter } from '../stream/stream-filter.ts';
import { streamFilterOf, streamParameters } from './stream-parameters.ts';

/** A subscription begins when it is made, is nobody's question, and is no reader of HTTP. */
const { cursor: _cursor, ticket: _ticket, nolog: _nolog, ...filters } = streamParameters;
const schema = z.strictObject(filters);

/** Reads the query of a subscription, `kind=search&tags=phishing`, as the stream's routes do; or says what is wrong in it. */
export function readSubscription(query: string): Parsed<StreamFilter, string> {
  const parsed = schema.safeParse(Object.fromEntries(new URLSearchParams(query)));
  if (!parsed.success) {
    const reasons = parsed.error.issues.map((issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.keys.join(', ')}: there is no such filter; there are ${Object.keys(filters).join(', ')}`
        : `${issue.path.join('.')}: ${issue.message}`,
    );
    return refuse('bad-subscription', reasons.join('; '));
  }
  const filter = streamFilterOf(parsed.data);
  return filter.ok ? filter : refuse(filter.code, `q: ${filter.reason}`);
}
