import { expect, test } from 'vitest';
import { parseSpan } from '../../../src/facade/span.ts';

const dayMs = 24 * 60 * 60 * 1_000;
const newYearMs = Date.UTC(2026, 0, 1);

test.each([
  ['2026-01-01,2026-01-01', { fromMs: newYearMs, toMs: newYearMs + dayMs - 1 }],
  ['2026-01-01T00:00:00Z,2026-01-02T00:00:00Z', { fromMs: newYearMs, toMs: newYearMs + dayMs }],
  ['2026-01-01T01:00:00+01:00, ', { fromMs: newYearMs }],
  [',1767225600', { toMs: newYearMs }],
  ['2126-01-01,', { fromMs: Date.UTC(2126, 0, 1) }],
])('%s is from, to', (text, expected) => {
  expect(parseSpan(text)).toEqual({ ok: true, value: expected });
});

test.each(['', ',', ',,', '2026-01-01', 'a,b', '2026-01-02,2026-01-01', '2026-01-01,2026-01-02,', '1,'])(
  '%j is none',
  (text) => {
    expect(parseSpan(text)).toMatchObject({ ok: false, code: 'bad-span' });
  },
);
