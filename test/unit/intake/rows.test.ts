import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { intakeLimits as limits } from '../../../src/intake/limits.ts';
import type { Row } from '../../../src/intake/row.ts';
import { readRows, rowTypes } from '../../../src/intake/rows.ts';

function read(body: string | Uint8Array, type: string) {
  return readRows(typeof body === 'string' ? Buffer.from(body) : body, type);
}

function rowsOf(body: string | Uint8Array, type: string): readonly Row[] {
  const rows = read(body, type);
  if (!rows.ok) throw new Error(rows.reason);
  return rows.value;
}

/** The value of each row, or the code of its refusal. */
function summary(body: string | Uint8Array, type: string): readonly unknown[] {
  return rowsOf(body, type).map((row) => ('refusal' in row ? row.refusal.code : row.value));
}

function refusal(
  body: string | Uint8Array,
  type: string,
): { readonly code: string; readonly reason: string } {
  const rows = read(body, type);
  if (rows.ok) throw new Error('the body was taken');
  return rows;
}

describe('by media type', () => {
  test('parameters and case of a media type do not matter', () => {
    expect(summary('example.com', 'Text/Plain; charset=utf-8')).toEqual(['example.com']);
  });

  test.each(['', 'text/html', 'application/x-www-form-urlencoded'])(
    '%j is refused, naming what is taken',
    (type) => {
      const { code, reason } = refusal('example.com', type);
      expect(code).toBe('unknown-type');
      for (const known of rowTypes) expect(reason).toContain(known);
    },
  );

  test.each(rowTypes)('arbitrary bytes as %s give rows or a reason, never an exception', (type) => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' }).map(Buffer.from)), (body) => {
        const rows = readRows(body, type);
        if (!rows.ok) expect(rows.reason.length).toBeGreaterThan(0);
      }),
    );
  });

  test.each(rowTypes)('%s: a mark of byte order is no part of the first row', (type) => {
    const bodies: Record<string, string> = {
      'text/csv': 'indicator\nexample.com',
      'text/plain': 'example.com',
    };
    const [row] = rowsOf(`\ufeff${bodies[type] ?? '{"indicator":"example.com"}'}`, type);
    expect(row).toMatchObject({ row: 1 });
    expect(JSON.stringify(row)).not.toContain('\ufeff');
    expect(row).toHaveProperty('value');
  });
});

describe('JSON', () => {
  const type = 'application/json';

  test('an object is one row, an array is one row an element, whatever the element is', () => {
    expect(rowsOf('{"indicator":"example.com"}', type)).toEqual([
      { row: 1, value: { indicator: 'example.com' } },
    ]);
    expect(summary('["example.com", {"indicator":"example.org"}, 3, null]', type)).toEqual([
      'example.com',
      { indicator: 'example.org' },
      3,
      null,
    ]);
    expect(rowsOf('[]', type)).toEqual([]);
  });

  test.each(['data', 'indicators', 'results'])('the list that an object wraps as %s are its rows', (name) => {
    expect(
      summary(`{"meta":{"next":[1]},"${name}":["example.com",{"indicator":"example.org"}]}`, type),
    ).toEqual(['example.com', { indicator: 'example.org' }]);
  });

  test('an object with two lists, or that names an indicator, is one row', () => {
    for (const row of [{ data: [1], items: [2] }, { indicator: 'example.com', data: [] }, { other: [1] }])
      expect(summary(JSON.stringify(row), type)).toEqual([row]);
  });

  test.each([
    ['[{"indicator":"example.com"},\n{"indicator":"example.org"', '{ at line 2, character 1'],
    ['["example.com"', '[ at line 1, character 1'],
    ['["example.com, "example.org"]', 'JSON'],
    ['{"indicator":"exam', '" at line 1, character 14'],
    ['{"indicator":"a\\"}', '" at line 1, character 14'],
  ])('%s is not closed, and the reason says where it opens', (body, where) => {
    expect(refusal(body, type)).toMatchObject({ code: 'bad-json', reason: expect.stringContaining(where) });
  });

  test.each(['', ' ', 'example.com', '[1,]', '{"a":1}}', ']', '<html></html>'])('%j is no JSON', (body) => {
    expect(refusal(body, type).code).toBe('bad-json');
  });

  test('brackets and commas within strings are text', () => {
    const value = `[{,\\"${'['.repeat(20)}`;
    expect(rowsOf(JSON.stringify([value, `${value}\\`]), type)).toHaveLength(2);
  });

  test('nesting is allowed up to the cap and refused above it, however deep', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(rowsOf(nested(limits.jsonDepthMax), type)).toHaveLength(1);
    expect(refusal(nested(limits.jsonDepthMax + 1), type).code).toBe('json-depth');
    expect(refusal('['.repeat(1_000_000), type).code).toBe('json-depth');
  });

  test('rows are allowed up to the cap and refused above it', () => {
    const zeros = (length: number) => JSON.stringify(Array.from({ length }, () => 0));
    expect(rowsOf(zeros(limits.rowsMax), type)).toHaveLength(limits.rowsMax);
    expect(refusal(zeros(limits.rowsMax + 1), type).code).toBe('too-many-rows');
    expect(rowsOf(`{"data":${zeros(limits.rowsMax)}}`, type)).toHaveLength(limits.rowsMax);
    expect(refusal(`{"data":${zeros(limits.rowsMax + 1)}}`, type).code).toBe('too-many-rows');
  });
});

describe('lines', () => {
  test('a line that is no JSON is one refused row between two good ones', () => {
    expect(
      summary('"example.com"\n{"indicator":\n{"indicator":"example.org"}\n', 'application/x-ndjson'),
    ).toEqual(['example.com', 'bad-json', { indicator: 'example.org' }]);
  });

  test('a line that nests too deep is one refused row', () => {
    expect(summary(`${'['.repeat(40_000)}\n"example.com"`, 'application/jsonl')).toEqual([
      'bad-json',
      'example.com',
    ]);
  });

  test('blank lines are no rows, and every row keeps the number of its line', () => {
    expect(rowsOf('\r\n  \nexample.com\r\n\n\texample.org \n', 'text/plain')).toEqual([
      { row: 3, value: 'example.com' },
      { row: 5, value: 'example.org' },
    ]);
  });

  test('remarks are no rows, lines of hosts files and filter lists are the names in them', () => {
    const body =
      '# a banner\nexample.com # seen\n; x\n// y\n192.0.2.0/24 ; SBL1\n0.0.0.0 a.example b.example\n||c.example^\n';
    expect(rowsOf(body, 'text/plain')).toEqual([
      { row: 2, value: 'example.com' },
      { row: 5, value: '192.0.2.0/24' },
      { row: 6, value: 'a.example' },
      { row: 6, value: 'b.example' },
      { row: 7, value: 'c.example' },
    ]);
  });

  test('a line as long as the cap is taken, a longer one is one refused row', () => {
    const line = 'a'.repeat(limits.lineCharactersMax);
    expect(summary(`${line}\n${line}a\nexample.com`, 'text/plain')).toEqual([
      line,
      'line-too-long',
      'example.com',
    ]);
    expect(summary(`"${line}"\n"example.com"`, 'application/ndjson')).toEqual([
      'line-too-long',
      'example.com',
    ]);
  });

  test('bytes that are not UTF-8 mark their own row only', () => {
    const body = Buffer.concat([
      Buffer.from('example.com\nbad'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('\nexample.org'),
    ]);
    expect(summary(body, 'text/plain')).toEqual(['example.com', 'bad\ufffd(', 'example.org']);
  });

  test('rows are allowed up to the cap and refused above it', () => {
    expect(rowsOf('a\n'.repeat(limits.rowsMax), 'text/plain')).toHaveLength(limits.rowsMax);
    expect(refusal('a\n'.repeat(limits.rowsMax + 1), 'text/plain').code).toBe('too-many-rows');
    expect(refusal('#\n'.repeat(limits.rowsMax + 1), 'text/plain').code).toBe('too-many-rows');
    expect(refusal(`0.0.0.0${' a'.repeat(30_000)}\n`.repeat(2), 'text/plain').code).toBe('too-many-rows');
  });
});

describe('CSV', () => {
  const type = 'text/csv';

  test('the header names the fields, in any case, and is no row', () => {
    expect(rowsOf('Indicator, TAGS\nexample.com,malware\n', type)).toEqual([
      { row: 1, value: { indicator: 'example.com', tags: 'malware' } },
    ]);
    expect(rowsOf('indicator\n', type)).toEqual([]);
    expect(rowsOf('', type)).toEqual([]);
  });

  test('the header may be a remark, and other remarks around the rows are none', () => {
    const rows = [{ indicator: 'example.com', tags: 'a' }];
    expect(rowsOf('\ufeff# made 2026, for you\n# Indicator, tags\n#\nexample.com,a\n# END\n', type)).toEqual([
      { row: 1, value: rows[0] },
    ]);
    expect(summary('# made 2026\nindicator,tags\nexample.com,a\n# "x", y\n', type)).toEqual(rows);
    expect(summary('tags,indicator\n#a,example.com\n# END\n', type)).toEqual([
      { tags: '#a', indicator: 'example.com' },
    ]);
    expect(summary('# indicator,tags\n', type)).toEqual([]);
  });

  test('lines may end in CRLF, in LF, and in both', () => {
    const rows = [{ indicator: 'example.com' }, { indicator: 'example.org' }];
    expect(summary('indicator\r\nexample.com\r\nexample.org\r\n', type)).toEqual(rows);
    expect(summary('indicator\nexample.com\r\nexample.org', type)).toEqual(rows);
    expect(summary('indicator\r\nexample.com\nexample.org', type)).toEqual(rows);
  });

  test('quotes hold commas, line ends and doubled quotes; quotes within a cell are text', () => {
    const body =
      'indicator,description\nexample.com,"one, ""two""\nthree"\nexample.org,5" disk\nexample.net,say "hi"\n';
    expect(summary(body, type)).toEqual([
      { indicator: 'example.com', description: 'one, "two"\nthree' },
      { indicator: 'example.org', description: '5" disk' },
      { indicator: 'example.net', description: 'say "hi"' },
    ]);
  });

  test('cells may be missing or empty at the end of a line; more cells with text are one refused row', () => {
    expect(
      summary('indicator,tags,\na.example,b,\nc.example\n\nd.example,e,,,\nf.example,g,h\n', type),
    ).toEqual([
      { indicator: 'a.example', tags: 'b' },
      { indicator: 'c.example', tags: '' },
      { indicator: 'd.example', tags: 'e' },
      'bad-csv',
    ]);
  });

  test('the header again is one refused row', () => {
    expect(summary('indicator,tags\na.example,b\nIndicator,tags\nc.example,d\n', type)).toEqual([
      { indicator: 'a.example', tags: 'b' },
      'repeated-header',
      { indicator: 'c.example', tags: 'd' },
    ]);
  });

  test.each([
    ['example.com,malware\nexample.org,malware\n', 'no-header', 'indicator'],
    ['# first_seen,tags\nexample.com,malware\n', 'no-header', 'indicator'],
    ['indicator;tags\nexample.com;malware\n', 'no-header', 'indicator'],
    [
      'indicator,colour,size\nexample.com,red,1\n',
      'unknown-column',
      '"colour", "size"; known are indicator, itype',
    ],
    ['indicator,,tags\nexample.com,,a\n', 'unknown-column', '""'],
    ['indicator,a\0b\nexample.com,1\n', 'unknown-column', '"a\\u0000b"'],
    ['indicator,tags,Tags\nexample.com,a,b\n', 'repeated-column', 'tags'],
    ['indicator,tags\na.example,b\nc.example,"d\ne.example,f\n', 'bad-csv', 'row 2'],
  ])('%j is refused whole', (body, code, reason) => {
    expect(refusal(body, type)).toMatchObject({ code, reason: expect.stringContaining(reason) });
  });

  test('a header of many unknown columns is not repeated at length', () => {
    const header = Array.from({ length: 5_000 }, (_, i) => `column${i}`).join(',');
    expect(refusal(`indicator,${header}\n`, type).reason).toMatch(/"column4" and 4995 more/);
  });

  test('a line beyond the cap is one refused row, whatever its cells are', () => {
    const long = 'a'.repeat(limits.lineCharactersMax + 1);
    const commas = ','.repeat(limits.lineCharactersMax + 1);
    expect(summary(`indicator,tags\na.example,"${long}"\n${commas}\r\nb.example,c\n`, type)).toEqual([
      'line-too-long',
      'line-too-long',
      { indicator: 'b.example', tags: 'c' },
    ]);
  });

  test('rows are allowed up to the cap and refused above it', () => {
    expect(rowsOf(`indicator\n${'a\n'.repeat(limits.rowsMax)}`, type)).toHaveLength(limits.rowsMax);
    expect(refusal(`indicator\n${'a\n'.repeat(limits.rowsMax + 1)}`, type).code).toBe('too-many-rows');
  });
});

test.each([
  ['text/plain', '\n'],
  ['text/plain', 'a\n'],
  ['text/plain', '#\n'],
  ['application/json', '[0,'],
  ['application/json', '"\\'],
  ['text/csv', ','],
  ['text/csv', 'a\n'],
  ['text/csv', '"\n'],
])('a body of %s as large as the cap that repeats %j is read in a moment', (type, text) => {
  const start = type === 'text/csv' ? 'indicator\n' : '';
  const body = Buffer.alloc(limits.bodyBytesMax, text);
  body.write(start);
  const began = performance.now();
  readRows(body, type);
  // Half a second on a quiet machine; before work stopped at the caps it was up to a minute.
  expect(performance.now() - began).toBeLessThan(5_000);
});
