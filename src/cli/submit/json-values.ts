import { submitLimits } from './limits.ts';

/** The text of one JSON value and the line where it begins; or where and why the file makes no sense. */
export type JsonPiece =
  | { readonly kind: 'value'; readonly line: number; readonly text: string }
  | { readonly kind: 'broken'; readonly line: number; readonly reason: string };

/**
 * Cuts a JSON array into its elements, and JSON objects that follow one another into objects, without holding more than
 * one of them. It only counts brackets outside strings (RFC 8259 2): whether a piece is JSON, its parser says.
 */
export async function* jsonValues(chunks: AsyncIterable<string>): AsyncGenerator<JsonPiece> {
  const scan = createScan();
  for await (const chunk of chunks) {
    for (const character of chunk) {
      const piece = scan.step(character);
      if (piece !== undefined) yield piece;
      if (piece?.kind === 'broken') return;
    }
  }
  const last = scan.end();
  if (last !== undefined) yield last;
}

function createScan() {
  let line = 1;
  /** Brackets open around the current character, the outer array not counted. */
  let depth = 0;
  let inArray = false;
  let inString = false;
  let escaped = false;
  let text = '';
  let textLine = 1;

  function take(): JsonPiece | undefined {
    const piece = text.trimEnd() === '' ? undefined : ({ kind: 'value', line: textLine, text } as const);
    text = '';
    return piece;
  }

  function append(character: string): JsonPiece | undefined {
    if (text === '') textLine = line;
    text += character;
    if (text.length <= submitLimits.jsonValueCharactersMax) return undefined;
    const most = submitLimits.jsonValueCharactersMax;
    return {
      kind: 'broken',
      line: textLine,
      reason: `one value has more than ${most} characters; is it an array of rows?`,
    };
  }

  function stepInString(character: string): JsonPiece | undefined {
    if (escaped) escaped = false;
    else if (character === '\\') escaped = true;
    else if (character === '"') inString = false;
    return append(character);
  }

  function stepOutside(character: string): JsonPiece | undefined {
    if (depth === 0) {
      if (character === ',') return take();
      if (character === '[' && !inArray && text === '') {
        inArray = true;
        return undefined;
      }
      if (character === ']' && inArray) {
        inArray = false;
        return take();
      }
      if (text === '' && /\s/.test(character)) return undefined;
    }
    if (character === '"') inString = true;
    if (character === '{' || character === '[') depth += 1;
    if (character === '}' || character === ']') depth -= 1;
    const broken = append(character);
    return broken ?? (depth === 0 && character === '}' ? take() : undefined);
  }

  return {
    step(character: string): JsonPiece | undefined {
      const piece = inString ? stepInString(character) : stepOutside(character);
      if (character === '\n') line += 1;
      return piece;
    },
    end(): JsonPiece | undefined {
      if (depth === 0 && !inArray && !inString) return take();
      return {
        kind: 'broken',
        line: text === '' ? line : textLine,
        reason: 'the JSON ends before it is closed',
      };
    },
  };
}
