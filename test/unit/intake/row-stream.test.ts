import fc from 'fast-check';
import { expect, test } from 'vitest';
import { intakeLimits as limits } from '../../../src/intake/limits.ts';
import type { Row } from '../../../src/intake/row.ts';
import { createRowStream } from '../../../src/intake/row-stream.ts';
import { readRows } from '../../../src/intake/rows.ts';

function rowsOf(...pieces: readonly (string | Uint8Array)[]): readonly Row[] {
  const stream = createRowStream();
  const groups = pieces.flatMap((piece) => stream.push(Buffer.from(piece)));
  return [...groups, ...stream.end()].flatMap(({ rows }) => rows);
}

function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

test('rows are numbered by line over all pieces; blank lines count and are none', () => {
  expect(rowsOf('"a"\n\n"b', '"\r\n', '  \n"c"\n', '"d"')).toEqual([
    { row: 1, value: 'a' },
    { row: 3, value: 'b' },
    { row: 5, value: 'c' },
    { row: 6, value: 'd' },
  ]);
});

test('what came together is a group, up to a cap', () => {
  const stream = createRowStream();
  expect(stream.push(Buffer.from('"a"\n"b"\n"c'))).toMatchObject([
    { rows: [{ row: 1 }, { row: 2 }], characters: 6 },
  ]);
  expect(stream.push(Buffer.from('c'))).toEqual([]);
  expect(stream.push(Buffer.from('"\n'))).toMatchObject([{ rows: [{ row: 3, value: 'cc' }] }]);
  const many = stream.push(Buffer.from('1\n'.repeat(limits.rowsPerGroup + 1)));
  expect(many.map(({ rows }) => rows.length)).toEqual([limits.rowsPerGroup, 1]);
  expect(stream.push(Buffer.from('\n\n'))).toEqual([]);
  expect(stream.end()).toEqual([]);
});

test('a line that is no JSON, or is nested too deep, costs itself only', () => {
  expect(rowsOf('"a"\n{"indicator":\n"b"\n', `${'['.repeat(9)}${']'.repeat(9)}\n`, '"c"')).toMatchObject([
    { row: 1, value: 'a' },
    { row: 2, refusal: { code: 'bad-json' } },
    { row: 3, value: 'b' },
    { row: 4, refusal: { code: 'bad-json' } },
    { row: 5, value: 'c' },
  ]);
});

test.each([0, 1])('a line at the cap is taken, one character more is refused: %i', (over) => {
  const line = `"${'a'.repeat(limits.lineCharactersMax - 2 + over)}"`;
  const [row] = rowsOf(`${line}\n`);
  expect('refusal' in (row ?? {})).toBe(over === 1);
});

test('a line without end is refused once it ends', () => {
  const stream = createRowStream();
  const piece = Buffer.alloc(64 * 1024, 'a');
  stream.push(Buffer.from('"first"\n"'));
  for (let i = 0; i < 1_000; i++) expect(stream.push(Buffer.from(piece))).toEqual([]);
  expect(stream.push(Buffer.from('"\n"next"\n')).flatMap(({ rows }) => rows)).toMatchObject([
    { row: 2, refusal: { code: 'line-too-long' } },
    { row: 3, value: 'next' },
  ]);
  stream.push(Buffer.alloc(4 * limits.lineCharactersMax, 'a'));
  expect(stream.end()).toMatchObject([{ rows: [{ row: 4, refusal: { code: 'line-too-long' } }] }]);
});

test('a mark of byte order is taken off at the start, and only there', () => {
  expect(rowsOf(Buffer.from([0xef]), Buffer.from([0xbb, 0xbf, 0x22, 0x61, 0x22, 0x0a]))).toEqual([
    { row: 1, value: 'a' },
  ]);
  expect(rowsOf('"a"\n', '\ufeff"b"\n')).toMatchObject([{ row: 1 }, { refusal: { code: 'bad-json' } }]);
});

test('bytes that are no UTF-8 mark their own line', () => {
  const rows = rowsOf('"a"\n"', Buffer.from([0xc3]), '"\n"ä"\n');
  expect(rows).toEqual([
    { row: 1, value: 'a' },
    { row: 2, value: '\ufffd' },
    { row: 3, value: 'ä' },
  ]);
});

test('wherever the bytes are cut, the rows are those of the whole body', () => {
  const value = fc.oneof(
    fc.json({ maxDepth: 2 }),
    fc.constant(''),
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.string().filter((text) => !text.includes('\n')),
  );
  fc.assert(
    fc.property(fc.array(value), fc.array(fc.nat()), fc.uint8Array(), (lines, places, noise) => {
      const body = Buffer.concat([Buffer.from(lines.join('\n')), noise]);
      const whole = readRows(body, 'application/x-ndjson');
      expect(rowsOf(...cut(body, places))).toEqual(whole.ok && whole.value);
    }),
    { numRuns: 50 },
  );
});
