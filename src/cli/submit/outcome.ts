/** The answer of `POST /indicators`, as far as the command uses it; rows are numbered from 1 within the request. */
export type BatchOutcome = {
  readonly accepted: number;
  readonly created: number;
  readonly updated: number;
  readonly refused: readonly { readonly row: number; readonly code: string; readonly reason: string }[];
  /** Why the rows are not yet on as many nodes as wished; undefined when they are. */
  readonly ackReason: string | undefined;
  readonly firstEvent: string | undefined;
  readonly lastEvent: string | undefined;
};

/** Reads an outcome, or the problem that stands in its place when every row was refused; undefined when it is neither. */
export function readOutcome(text: string): BatchOutcome | undefined {
  const body = objectOf(parseJson(text));
  if (body === undefined || !Array.isArray(body['refused'])) return undefined;
  const events = objectOf(body['events']) ?? {};
  return {
    accepted: countOf(body['accepted']),
    created: countOf(body['created']),
    updated: countOf(body['updated']),
    refused: body['refused'].map((each) => {
      const refusal = objectOf(each) ?? {};
      return {
        row: countOf(refusal['row']),
        code: textOf(refusal['code']) ?? 'refused',
        reason: textOf(refusal['reason']) ?? '',
      };
    }),
    ackReason: textOf(objectOf(body['ack'])?.['reason']),
    firstEvent: textOf(events['first']),
    lastEvent: textOf(events['last']),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
