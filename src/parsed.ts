/** What reading a stranger's input gives: a value, or a closed code and a sentence for the person who sent it. */
export type Parsed<T, Code extends string = string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: Code; readonly reason: string };

export function accept<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

export function refuse<Code extends string>(
  code: Code,
  reason: string,
): { readonly ok: false; readonly code: Code; readonly reason: string } {
  return { ok: false, code, reason };
}
