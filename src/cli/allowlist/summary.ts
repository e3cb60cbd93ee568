import type { ListEffect } from '../../feed/allowlist/list-effects.ts';
import { printable } from '../printable.ts';
import { grouped } from '../submit/progress.ts';
import type { Tally } from '../submit/tally.ts';

/** What became of one list. */
export type ListOutcome = {
  readonly file: string;
  readonly provider: string;
  readonly effect: ListEffect;
  readonly entries: number;
  readonly repeated: number;
  readonly tally: Tally;
};

/** Two lines for a list, and one for each kind of refusal with an example. */
export function outcomeText(outcome: ListOutcome, isDryRun: boolean): string {
  const { file, provider, effect, entries, repeated, tally } = outcome;
  const stored = `${grouped(tally.accepted)} accepted (${grouped(tally.created)} new, ${grouped(tally.updated)} updated)`;
  const would = `${grouped(entries - repeated - tally.refused)} would be submitted`;
  const also = repeated === 0 ? '' : `, ${grouped(repeated)} repeated`;
  const lines = [
    `${printable(file)}: ${effect.effect} (${effect.because}), as ${printable(provider)}`,
    `  ${grouped(entries)} entries: ${isDryRun ? would : stored}${also}, ${grouped(tally.refused)} refused`,
  ];
  for (const [code, { count, examples }] of tally.refusals) {
    const [first] = examples;
    if (first === undefined) continue;
    lines.push(
      `    ${grouped(count)} as ${printable(code)}, such as entry ${first.line}: ${printable(first.reason)}`,
    );
  }
  if (tally.ackReason !== undefined) {
    lines.push(
      `    ${grouped(tally.unacknowledged)} stored at the node, but not yet on as many others as wished: ${printable(tally.ackReason)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** The same for programs. */
export function outcomeJson({ file, provider, effect, entries, repeated, tally }: ListOutcome): object {
  return {
    file,
    provider,
    effect: effect.effect,
    because: effect.because,
    tags: effect.tags,
    entries,
    repeated,
    accepted: tally.accepted,
    created: tally.created,
    updated: tally.updated,
    refused: tally.refused,
    refusals: [...tally.refusals].map(([code, { count, examples }]) => ({
      code,
      count,
      examples: examples.map(({ line, reason }) => ({ entry: line, reason })),
    })),
  };
}
