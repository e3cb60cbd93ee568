/**
 * What reading a stranger's bytes gives: a value, or the reason why there is none.
 * Reasons are short, closed, kebab-case words, so that they can be counted.
 */
export type Parsed<T, Reason extends string = string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: Reason };

export function accept<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function refuse<Reason extends string>(
  reason: Reason,
): { readonly ok: false; readonly reason: Reason } {
  return { ok: false, reason };
}
