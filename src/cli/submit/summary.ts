import { printable } from '../printable.ts';
import { grouped } from './progress.ts';
import type { Tally } from './tally.ts';

/** What became of the rows, for a person: the counts, then refusals by kind, the most frequent first, with examples. */
export function summaryText(tally: Tally, fileName: string, elapsedMs: number): string {
  const lines = [
    `${grouped(tally.rows)} ${tally.rows === 1 ? 'row' : 'rows'} of ${printable(fileName)}: ${grouped(tally.accepted)} accepted ` +
      `(${grouped(tally.created)} new, ${grouped(tally.updated)} updated), ${grouped(tally.refused)} refused, ` +
      `in ${(elapsedMs / 1_000).toFixed(1)} s.`,
  ];
  for (const [code, { count, examples }] of byCount(tally)) {
    lines.push(`  ${grouped(count)} refused as ${printable(code)}, such as`);
    for (const { line, reason } of examples) lines.push(`    line ${line}: ${printable(reason)}`);
  }
  if (tally.ackReason !== undefined) {
    lines.push(
      `  ${grouped(tally.unacknowledged)} stored at the node, but not yet on as many others as wished: ${printable(tally.ackReason)}`,
    );
  }
  if (tally.broken !== undefined) {
    lines.push(`Reading stopped at line ${tally.broken.line}: ${printable(tally.broken.reason)}.`);
  }
  return `${lines.join('\n')}\n`;
}

/** The same for programs. */
export function summaryJson(tally: Tally, fileName: string, elapsedMs: number): object {
  return {
    file: fileName,
    rows: tally.rows,
    accepted: tally.accepted,
    created: tally.created,
    updated: tally.updated,
    refused: tally.refused,
    ...(tally.ackReason === undefined
      ? {}
      : { unacknowledged: tally.unacknowledged, ack_reason: tally.ackReason }),
    refusals: byCount(tally).map(([code, { count, examples }]) => ({ code, count, examples })),
    ...(tally.broken === undefined ? {} : { broken: tally.broken }),
    ...(tally.firstEvent === undefined ? {} : { events: { first: tally.firstEvent, last: tally.lastEvent } }),
    seconds: elapsedMs / 1_000,
  };
}

function byCount(tally: Tally) {
  return [...tally.refusals].sort(([, a], [, b]) => b.count - a.count);
}
