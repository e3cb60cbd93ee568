import { submitLimits } from './limits.ts';

/** The text of one JSON value and the line where it begins; or where and why the file makes no sense. */
export type JsonPiece =
  | { readonly kind: 'value'; readonly line: number; readonly text: string }
  | { readonly kind: 'broken'; readonly line: number; readonly reason: string };

/** The members that lead to the rows, from the outside in; `*` is any. Arrays on the way are entered. */
export type RowsPath = readonly string[];

/**
 * Cuts JSON into its rows without holding more than one of them: the elements of an array, objects that follow one another,
 * or what stands at `path` within them. It only counts brackets outside strings (RFC 8259 2): whether a piece is JSON, its
 * parser says.
 */
export async function* jsonValues(chunks: AsyncIterable<string>, path: RowsPath): AsyncGenerator<JsonPiece> {
  const scan = createScan(path);
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

/** An array or object that was entered on the way to the rows. */
type Entered =
  | { readonly kind: '['; readonly holdsRows: boolean }
  | { readonly kind: '{'; name: string | undefined; leads: boolean };

function createScan(path: RowsPath) {
  let line = 1;
  const entered: Entered[] = [];
  let state: 'between' | 'name' | 'value' = 'between';
  let inString = false;
  let escaped = false;
  let text = '';

  /** Of the value at hand: a value that is no row is only read to its end. */
  let isRow = false;
  let isScalar = false;
  let depth = 0;
  let textLine = 1;

  function reached(): number {
    return entered.filter((each) => each.kind === '{' && each.leads).length;
  }

  function begin(character: string): JsonPiece | undefined {
    state = 'value';
    isRow = reached() === path.length;
    isScalar = !/["{[]/.test(character);
    depth = 0;
    text = '';
    textLine = line;
    return stepValue(character);
  }

  function finish(): JsonPiece | undefined {
    state = 'between';
    endMember();
    return isRow && text.trim() !== '' ? { kind: 'value', line: textLine, text: text.trimEnd() } : undefined;
  }

  function endMember(): void {
    const inside = entered.at(-1);
    if (inside?.kind !== '{') return;
    inside.name = undefined;
    inside.leads = false;
  }

  function stepValue(character: string): JsonPiece | undefined {
    if (isScalar && (character === ',' || (entered.length > 0 && /[\]}]/.test(character)))) {
      const piece = finish();
      stepBetween(character);
      return piece;
    }
    if (isRow) text += character;
    if (text.length > submitLimits.jsonValueCharactersMax) return tooLong();
    if (inString) stepString(character);
    else if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    return !isScalar && depth <= 0 && !inString ? finish() : undefined;
  }

  function stepString(character: string): void {
    if (escaped) escaped = false;
    else if (character === '\\') escaped = true;
    else if (character === '"') inString = false;
  }

  function tooLong(): JsonPiece {
    const most = submitLimits.jsonValueCharactersMax;
    const reason = `one value has more than ${most} characters; does it hold the rows? Then say where with --rows`;
    return { kind: 'broken', line: textLine, reason };
  }

  function stepBetween(character: string): JsonPiece | undefined {
    const inside = entered.at(-1);
    if (/[\s,:]/.test(character)) return undefined;
    if (inside !== undefined && /[\]}]/.test(character)) {
      entered.pop();
      endMember();
      return undefined;
    }
    if (inside?.kind === '{') {
      if (inside.name === undefined && character === '"') {
        state = 'name';
        inString = true;
        text = '';
        return undefined;
      }
      if (!inside.leads) return begin(character);
    }
    const onTheWay = reached() < path.length;
    const holdsRows = !onTheWay;
    if (character === '[' && (onTheWay || !entered.some((each) => each.kind === '[' && each.holdsRows)))
      entered.push({ kind: '[', holdsRows });
    else if (character === '{' && onTheWay) entered.push({ kind: '{', name: undefined, leads: false });
    else return begin(character);
    return undefined;
  }

  function stepName(character: string): undefined {
    stepString(character);
    if (inString) {
      // A name that is longer than any of the path is none of them.
      if (text.length < submitLimits.jsonNameCharactersMax) text += character;
      return;
    }
    state = 'between';
    const inside = entered.at(-1);
    if (inside?.kind !== '{') return;
    const wanted = path[reached()];
    inside.name = text;
    inside.leads = wanted === '*' || wanted === text;
  }

  return {
    step(character: string): JsonPiece | undefined {
      const piece =
        state === 'value'
          ? stepValue(character)
          : state === 'name'
            ? stepName(character)
            : stepBetween(character);
      if (character === '\n') line += 1;
      return piece;
    },
    end(): JsonPiece | undefined {
      if (entered.length === 0 && state === 'between') return undefined;
      if (entered.length === 0 && state === 'value' && isScalar && !inString) return finish();
      return {
        kind: 'broken',
        line: state === 'value' ? textLine : line,
        reason: 'the JSON ends before it is closed',
      };
    },
  };
}
