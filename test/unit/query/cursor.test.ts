import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readCursor, writeCursor } from '../../../src/query/cursor.ts';

const question = { itype: ['fqdn'], tags: { any: ['c2'], none: [] } };

test('a cursor gives its key back to the same question, and to no other', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (key) => {
      const cursor = writeCursor(key, question);
      expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(readCursor(cursor, structuredClone(question))).toBe(key);
      expect(readCursor(cursor, { ...question, itype: ['url'] })).toBeUndefined();
      expect(readCursor(cursor, {})).toBeUndefined();
      expect(readCursor(cursor.slice(0, -2), question)).toBeUndefined();
      expect(readCursor(writeCursor(`${key}x`, question).slice(0, -2), question)).toBeUndefined();
    }),
  );
});

test('any other text is no cursor, and is no reason to throw', () => {
  fc.assert(fc.property(fc.string(), (text) => readCursor(text, question) === undefined));
  expect(readCursor('', question)).toBeUndefined();
});
