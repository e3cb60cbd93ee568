import { z } from '@hono/zod-openapi';
import { feedDefaults, feedLimitMax } from '../feed/defaults.ts';
import { readCursor } from '../query/cursor.ts';
import { filterParameters, limitParameter, windowParameters } from './parameters.ts';
import { Problem } from './problem.ts';

export const queryDefaults = { limit: 500, limitMax: 10_000 } as const;
const questionCharactersMax = 24_576;

/** The parameters of `GET /indicators`, in both modes. */
export const question = z.strictObject({
  q: z.string().min(1).max(questionCharactersMax).optional().openapi({
    description: 'An indicator, defanged or not: switches to query mode',
    example: 'example.com',
  }),
  nofeed: z
    .enum(['0', '1'], { error: 'allowed are 0 and 1' })
    .optional()
    .openapi({ description: '`1`: query mode without q, newest first' }),
  ...filterParameters,
  ...windowParameters,
  limit: limitParameter(
    feedLimitMax,
    `Feed: default ${feedDefaults.limit}. Query: default ${queryDefaults.limit}, at most ${queryDefaults.limitMax}.`,
  ),
  cursor: z.string().max(20_000).optional().openapi({ description: '`meta.next` of the page before' }),
});

export type Question = z.output<typeof question>;

/** The store's key that a cursor stands for. Throws Problem 400. */
export function cursorOf(cursor: string, question: unknown): string {
  const key = readCursor(cursor, question);
  if (key !== undefined) return key;
  const detail = 'it belongs to another question, or is no cursor; leave it out to start from the beginning';
  throw new Problem(400, `cursor: ${detail}`, { errors: [{ parameter: 'cursor', detail }] });
}
