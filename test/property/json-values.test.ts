import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonValues, type RowsPath } from '../../src/cli/submit/json-values.ts';
import { guessRowsPath } from '../../src/cli/submit/json-wrapping.ts';

async function* inPieces(text: string, length: number): AsyncGenerator<string> {
  for (let start = 0; start < text.length; start += length) yield text.slice(start, start + length);
}

async function read(text: string, path: RowsPath, length: number) {
  const pieces = [];
  for await (const piece of jsonValues(inPieces(text, length), path)) pieces.push(piece);
  return pieces;
}

/** The same by JSON.parse and a walk over the whole. */
function rowsAt(value: unknown, path: RowsPath): readonly unknown[] {
  const [name, ...rest] = path;
  if (name === undefined) return Array.isArray(value) ? value : [value];
  if (Array.isArray(value)) return value.flatMap((each) => rowsAt(each, path));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .filter(([key]) => name === '*' || key === name)
    .flatMap(([, member]) => rowsAt(member, rest));
}

const name = fc.constantFrom('a', 'b', 'data', '{"', '\\', '');
const json = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.jsonValue({ maxDepth: 1 }),
    fc.constantFrom('a', '[{"', '}]', '\\"', '\u00e9', 1, null, true),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(name, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).tree;
const path = fc.array(fc.constantFrom('a', 'b', 'data', '*'), { maxLength: 3 });

test('rows anywhere in JSON are what a walk over the parsed whole finds, however it is cut and laid out', async () => {
  let rows = 0;
  await fc.assert(
    fc.asyncProperty(
      json,
      path,
      fc.constantFrom(0, 1),
      fc.integer({ min: 1, max: 9 }),
      async (value, at, indent, length) => {
        const pieces = await read(JSON.stringify(value, null, indent), at, length);
        const found = pieces.map((piece) => (piece.kind === 'value' ? JSON.parse(piece.text) : piece));
        expect(found).toEqual(JSON.parse(JSON.stringify(rowsAt(value, at))));
        rows += found.length;
      },
    ),
    { numRuns: 3_000 },
  );
  expect(rows).toBeGreaterThan(1_000);
});

test('JSON that is cut off is broken, or a list of whole rows; text of any kind is answered', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        json.map((value) => JSON.stringify(value)),
        fc.string({ unit: 'binary' }),
      ),
      path,
      fc.nat(),
      async (text, at, cut) => {
        const short = text.slice(0, cut % (text.length + 1));
        for (const { line } of await read(short, at, 5)) expect(line).toBeGreaterThan(0);
        expect(guessRowsPath(short).length).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: 3_000 },
  );
});
