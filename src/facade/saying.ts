import { z } from '@hono/zod-openapi';
import { type AckWish, ackAllowed, ackDefault, parseAckWish } from '../event/ack.ts';
import { IntakeError, type SubmitOutcome } from '../intake/intake.ts';
import { intakeLimits } from '../intake/limits.ts';
import type { Row } from '../intake/row.ts';
import { readRows } from '../intake/rows.ts';
import { accept } from '../parsed.ts';
import { problemAnswers } from './answers.ts';
import { readBody } from './body.ts';
import { problemOfIntake } from './intake-problem.ts';
import { Problem } from './problem.ts';

/** What all routes have in common that make events: how far they wish them, and what they answer. */

export const ackParameter = z
  .string()
  .optional()
  .openapi({
    description: `Where it must be on disk before the answer: ${ackAllowed}. Default ${ackDefault}: one other node, if there is one.`,
  });

const outcome = { 'application/json': { schema: z.record(z.string(), z.unknown()) } };

export const outcomeAnswers = {
  200: { description: 'There were no rows' },
  201: { description: 'What became of each row', content: outcome },
  202: {
    description: 'Stored here, but not yet on as many other nodes as wished; `ack.reason` says why',
    content: outcome,
  },
  ...problemAnswers(400, 401, 403, 413, 415, 422, 503),
};

/** Throws Problem 400. */
export function wishFrom(text: string | undefined): AckWish {
  const wish = text === undefined ? accept(ackDefault) : parseAckWish(text);
  if (wish.ok) return wish.value;
  throw new Problem(400, `ack: ${wish.reason}`, { errors: [{ parameter: 'ack', detail: wish.reason }] });
}

/** Parameters that are each given once at most. Throws Problem 400. */
export function onceEach(parameters: Readonly<Record<string, readonly string[]>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, [value, ...more]]) => {
      if (more.length === 0) return [name, value ?? ''];
      throw new Problem(400, `${name} is given ${more.length + 1} times; once is allowed`, {
        errors: [{ parameter: name, detail: 'allowed once' }],
      });
    }),
  );
}

/** The rows of a body. Throws Problem 400, 413, 415. */
export async function rowsOf(request: Request, fields?: readonly string[]): Promise<readonly Row[]> {
  const body = await readBody(request, intakeLimits.bodyBytesMax);
  const rows = readRows(body, request.headers.get('content-type') ?? '', fields);
  if (rows.ok) return rows.value;
  throw new Problem(rows.code === 'unknown-type' ? 415 : 400, rows.reason, { code: rows.code });
}

/** What intake makes of it. Throws Problem 503 when it takes nothing now. */
export async function taken<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof IntakeError ? problemOfIntake(error) : error;
  }
}

/** Throws Problem 422 when no row was accepted. */
export function answerOutcome(of: SubmitOutcome): Response {
  if (of.accepted > 0) return Response.json(of, { status: of.ack.reason === undefined ? 201 : 202 });
  if (of.refused.length === 0) return Response.json(of);
  throw new Problem(422, `none of ${of.refused.length} rows was accepted; each says why`, { ...of });
}
