import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvHeader, csvLine } from '../../../src/feed/csv.ts';

test('the header is bare, texts are quoted, numbers are not, what is absent is empty, lines end in CRLF', () => {
  const fields = ['indicator', 'count', 'tags', 'description', 'longitude'];
  expect(csvHeader(fields)).toBe('indicator,count,tags,description,longitude\r\n');
  expect(csvLine({ indicator: 'example.com', count: 2, tags: ['a', 'b'], longitude: -4.5 }, fields)).toBe(
    '"example.com",2,"a,b",,-4.5\r\n',
  );
});

test('commas, quotes and line ends stay within their cell', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }), (texts) => {
      const safe = texts.map((text) => `.${text}`);
      const line = csvLine(
        Object.fromEntries(safe.map((text, i) => [`f${i}`, text])),
        safe.map((_, i) => `f${i}`),
      );
      expect(parse(line, { record_delimiter: '\r\n' })).toEqual([safe]);
    }),
  );
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '=HYPERLINK("http://example.com")'])(
  'the text %j is no formula for a spreadsheet',
  (text) => {
    expect(csvLine({ description: text }, ['description']).startsWith(`"'`)).toBe(true);
    expect(csvLine({ tags: [text] }, ['tags']).startsWith(`"'`)).toBe(true);
  },
);
