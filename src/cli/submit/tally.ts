import { submitLimits } from './limits.ts';

/** Refused rows of one kind: how many, and the first of them. */
type Refusals = { count: number; readonly examples: { readonly line: number; readonly reason: string }[] };

/** What became of the rows so far. It grows while a file is sent. */
export type Tally = {
  rows: number;
  accepted: number;
  created: number;
  updated: number;
  refused: number;
  /** Accepted and stored, but not yet on as many nodes as wished, and the last reason why. */
  unacknowledged: number;
  ackReason: string | undefined;
  readonly refusals: Map<string, Refusals>;
  /** Ids of the first and last event that the rows became. */
  firstEvent: string | undefined;
  lastEvent: string | undefined;
  /** The last line of the file that was answered. */
  lastLine: number;
  /** Where and why the file could not be read on. */
  broken: { readonly line: number; readonly reason: string } | undefined;
};

export function emptyTally(): Tally {
  return {
    rows: 0,
    accepted: 0,
    created: 0,
    updated: 0,
    refused: 0,
    unacknowledged: 0,
    ackReason: undefined,
    refusals: new Map(),
    firstEvent: undefined,
    lastEvent: undefined,
    lastLine: 0,
    broken: undefined,
  };
}

export function countRefusal(tally: Tally, line: number, code: string, reason: string): void {
  tally.refused += 1;
  const refusals = tally.refusals.get(code) ?? { count: 0, examples: [] };
  tally.refusals.set(code, refusals);
  refusals.count += 1;
  if (refusals.examples.length < submitLimits.examplesMax) refusals.examples.push({ line, reason });
}
