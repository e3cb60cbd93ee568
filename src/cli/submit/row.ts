import type { Line } from './text.ts';

/** What a reader makes of a file: rows for the node, rows that cannot be sent, and at worst an end before its end. */
export type InputRow =
  | { readonly kind: 'row'; readonly line: number; readonly value: unknown }
  | { readonly kind: 'refused'; readonly line: number; readonly code: LocalRefusal; readonly reason: string }
  | { readonly kind: 'broken'; readonly line: number; readonly reason: string };

/** Why a row is not even sent; the node's own codes stand beside these in the summary. */
export type LocalRefusal = 'bad-csv' | 'bad-json' | 'bad-utf8' | 'no-indicator' | 'too-long';

/** A line of which only the beginning was kept is never sent: half an indicator is another indicator. */
export function refuseTooLong({ line, text }: Line): InputRow {
  return {
    kind: 'refused',
    line,
    code: 'too-long',
    reason: `the line has more than ${text.length} characters`,
  };
}
