import { expect, test } from 'vitest';

import { printable, printableLines } from '../../../src/cli/printable.ts';
import { displayWidth, renderTable } from '../../../src/cli/table.ts';

test('columns stand two spaces apart, and a line has no spaces at its end', () => {
  expect(
    renderTable(
      ['itype', 'indicator'],
      [
        ['url', 'http://example.com/'],
        ['md5', ''],
      ],
      undefined,
    ),
  ).toBe('itype  indicator\nurl    http://example.com/\nmd5\n');
});

test('a table without rows is its titles', () => {
  expect(renderTable(['a', 'b'], [], 80)).toBe('a  b\n');
});

test('on a terminal the widest column is cut to fit, and short ones stay whole', () => {
  const table = renderTable(['itype', 'indicator'], [['ipv4', 'x'.repeat(100)]], 30);
  expect(table).toBe(`itype  indicator\nipv4   ${'x'.repeat(22)}…\n`);
  for (const line of table.trimEnd().split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(30);
});

test('elsewhere nothing is cut', () => {
  expect(renderTable(['indicator'], [['x'.repeat(500)]], undefined)).toContain('x'.repeat(500));
});

test('a very narrow terminal still gets a few cells of each column', () => {
  expect(renderTable(['one', 'two'], [['a'.repeat(20), 'b'.repeat(20)]], 3)).toContain('aaaaaaa…  bbbbbbb…');
});

test('wide characters count as two cells, combining ones as none', () => {
  expect(displayWidth('例え')).toBe(4);
  expect(displayWidth('é')).toBe(1);
  expect(displayWidth('e\u0301')).toBe(1);
  expect(
    renderTable(
      ['a', 'b'],
      [
        ['例え', 'x'],
        ['abcd', 'y'],
      ],
      undefined,
    ),
  ).toBe('a     b\n例え  x\nabcd  y\n');
});

test('a wide character is not cut in half', () => {
  const [, row] = renderTable(['name'], [['例'.repeat(20)]], 8).split('\n');
  expect(row).toBe('例例例…');
});

test.each([
  ['escape sequences', '\u001b[31mred', '\\u001b[31mred'],
  ['C1 controls', '\u009b31m', '\\u009b31m'],
  ['line ends', 'a\r\nb', 'a\\u000d\\u000ab'],
  ['bidi overrides', 'moc\u202e.elpmaxe', 'moc\\u202e.elpmaxe'],
  ['zero width', 'pay\u200bpal', 'pay\\u200bpal'],
  ['tags beyond the basic plane', '\u{e0041}', '\\udb40\\udc41'],
  ['DEL', '\u007f', '\\u007f'],
])('%s in data are shown and not obeyed', (_what, text, shown) => {
  expect(printable(text)).toBe(shown);
  expect(renderTable(['x'], [[text]], undefined)).toContain(shown);
  expect(JSON.parse(`"${printable(text)}"`)).toBe(text);
});

test('text of several lines keeps its line ends and nothing else', () => {
  expect(printableLines('a\r\nb\nc\rd\u001b')).toBe('a\r\nb\nc\\u000dd\\u001b');
});
