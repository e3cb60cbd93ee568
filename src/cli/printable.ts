// Control characters command a terminal, format characters reorder or hide text (Unicode's bidi controls, zero width
// spaces): an indicator can hold either, as its writer wished.
const dangerous = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const dangerousInLines = /(?!\r?\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Text that a terminal shows and does not obey: dangerous characters become `\u001b`. This is also JSON's own escape, so
 * that JSON stays JSON.
 */
export function printable(text: string): string {
  return text.replace(dangerous, escapeSequence);
}

/** The same for text of several lines: its line ends stay. */
export function printableLines(text: string): string {
  return text.replace(dangerousInLines, escapeSequence);
}

function escapeSequence(character: string): string {
  let escaped = '';
  for (let unit = 0; unit < character.length; unit += 1) {
    escaped += `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}
