import { z } from '@hono/zod-openapi';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  filterFrom,
  filterParameters,
  limitParameter,
  windowParameters,
} from '../../src/facade/parameters.ts';
import { matches } from '../../src/query/filter.ts';
import { nowMs, recordOf } from '../support/records.ts';

const parameters = z.strictObject({
  ...filterParameters,
  ...windowParameters,
  limit: limitParameter(100, 'rows'),
});
const names = Object.keys(parameters.shape);
const record = recordOf({ indicator: 'example.com', tags: 'c2,malware', confidence: 8 });

test('no query string makes the parser throw: it gives a filter that works, or names a parameter', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'!,.-+0129eab ') }),
    fc.constantFrom('fqdn,url', 'c2,!test', '3,7', '1e309', '-0', 'NaN', '__proto__', ','.repeat(1_000)),
    fc.constantFrom(
      '2026-01-01,',
      ',2026-02-31',
      '2026-01-01,1e9',
      'DE,!FR',
      'AS64500',
      'red,!red',
      '0',
      '1',
    ),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names, 'colour'), text), (values) => {
      const parsed = parameters.safeParse(values);
      if (parsed.success) {
        expect(typeof matches(filterFrom(parsed.data, 'observed', nowMs), record)).toBe('boolean');
      } else {
        for (const { code, path, message } of parsed.error.issues) {
          expect(message).not.toBe('');
          if (code !== 'unrecognized_keys') expect(names).toContain(path[0]);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
