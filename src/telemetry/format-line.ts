/**
 * One JSON line of the log as a line for a person: `04:25:01 WARN message key=value`. Control and format characters are
 * escaped, as a peer's name or an indicator may hold a terminal's commands.
 */
export function formatLine(json: string): string {
  const entry = readEntry(json);
  if (entry === undefined) return json;
  const { level, time, msg, err, error = err, ...rest } = entry;
  const clock = textOf(time).slice('2026-01-02T'.length, '2026-01-02T03:04:05'.length);
  const words = [clock, textOf(level).toUpperCase(), textOf(msg)];
  for (const [key, value] of Object.entries(rest)) words.push(`${key}=${textOf(value)}`);
  const fault = faultOf(error);
  if (fault !== undefined) words.push(`error=${fault}`);
  return `${escaped(words.filter((word) => word !== '').join(' '))}\n`;
}

function readEntry(json: string): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(json);
    return typeof entry === 'object' && entry !== null ? { ...entry } : undefined;
  } catch {
    return undefined;
  }
}

function faultOf(err: unknown): string | undefined {
  if (typeof err === 'string') return err;
  if (typeof err !== 'object' || err === null) return undefined;
  if ('message' in err && typeof err.message === 'string') return err.message;
  return JSON.stringify(err);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function escaped(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
