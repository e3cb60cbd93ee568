import { countOf, type JsonObject, objectOf, parseObject, textOf } from './values.ts';

/** Why a row was not stored; rows are counted from 1. */
export type Refusal = { readonly row: number; readonly code: string; readonly reason: string };

/** The answer of `POST /indicators`, as far as it is used. */
export type BatchOutcome = {
  readonly accepted: number;
  readonly created: number;
  readonly updated: number;
  readonly refused: readonly Refusal[];
  /** Why the rows are not yet on as many nodes as wished; undefined when they are. */
  readonly ackReason: string | undefined;
  /** Ids of the first and last event. */
  readonly events: { readonly first: string; readonly last: string } | undefined;
};

/** Reads an outcome, or the problem that stands in its place when every row was refused; undefined when it is neither. */
export function readOutcome(answer: string | JsonObject): BatchOutcome | undefined {
  const body = typeof answer === 'string' ? parseObject(answer) : answer;
  const refused = body?.['refused'];
  if (body === undefined || !Array.isArray(refused)) return undefined;
  const { first, last } = objectOf(body['events']) ?? {};
  return {
    accepted: countOf(body['accepted']),
    created: countOf(body['created']),
    updated: countOf(body['updated']),
    refused: refused.map((each) => {
      const { row, code, reason } = objectOf(each) ?? {};
      return { row: countOf(row), code: textOf(code) ?? 'refused', reason: textOf(reason) ?? '' };
    }),
    ackReason: textOf(objectOf(body['ack'])?.['reason']),
    events: typeof first === 'string' && typeof last === 'string' ? { first, last } : undefined,
  };
}
