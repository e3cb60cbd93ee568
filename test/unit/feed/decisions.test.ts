import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { feedQuestionOf } from '../../../src/facade/feed-page.ts';
import { question } from '../../../src/facade/question.ts';
import { createAllowlist } from '../../../src/feed/allowlist/allowlist.ts';
import { explain } from '../../../src/feed/explain.ts';
import { parseObservation, standardDefaults } from '../../../src/indicator/observation.ts';
import type { IndicatorRecord } from '../../../src/indicator/types.ts';
import { dayMs, type Fields, nowMs, recordOf } from '../../support/records.ts';

/** The table that says what a feed decides. Its first lines say how it is read. */
const file = join(import.meta.dirname, '../../fixtures/feed-decisions.txt');
const rows = readFileSync(file, 'utf8')
  .split('\n')
  .map((line, i) => ({ line, at: i + 1 }))
  .filter(({ line }) => line !== '' && !line.startsWith('#'))
  .map(({ line, at }) => {
    const [indicator = '', said = '', allowed = '', asked = '', decision = '', why = ''] = line
      .split('|')
      .map((cell) => cell.trim());
    return { at, indicator, said: items(said), allowed: items(allowed), asked, decision, why };
  });

function items(cell: string): readonly (readonly string[])[] {
  return cell === '' ? [] : cell.split(';').map((item) => item.trim().split(/\s+/));
}

function fieldsOf(words: readonly string[]): Partial<Fields> {
  const value = (name: string) => words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const age = value('age');
  const expires = value('exp');
  return {
    lasttime: new Date(nowMs - Number(age ?? 0) * dayMs).toISOString(),
    ...(expires !== undefined && { expiretime: new Date(nowMs + Number(expires) * dayMs).toISOString() }),
    ...(value('tags') !== undefined && { tags: value('tags')?.split('+') }),
    ...(value('group') !== undefined && { group: value('group') }),
  };
}

function stated(words: readonly string[], fields: Fields): IndicatorRecord {
  const record = recordOf(fields);
  return words.includes('retracted')
    ? { ...record, retracted: { ...record.stamp, reason: 'a test' } }
    : record;
}

function allowEntry([list = '', value = '', ...words]: readonly string[]): IndicatorRecord {
  const more = ['children', 'exact']
    .filter((word) => words.includes(word))
    .map((word) => `allowlist-${word}`);
  const tags = [words.includes('context') ? 'allowlist-context' : 'allowlist', ...more];
  return stated(words, { ...fieldsOf(words), indicator: value, provider: list, tags });
}

test('the table has 200 decisions and more', () => {
  expect(rows.length).toBeGreaterThanOrEqual(200);
});

describe('a feed decides', () => {
  test.each(rows.map((row) => [row.at, row.indicator, row.decision, row] as const))(
    'line %i: %s is %s',
    (_, indicator, decision, { said, allowed, asked, why }) => {
      const parsed = parseObservation({ indicator }, { ...standardDefaults, provider: 'one' }, nowMs);
      if (decision === 'refused') {
        expect(parsed).toMatchObject({ ok: false, reason: expect.stringContaining(why) });
        return;
      }
      if (!parsed.ok) throw new Error(parsed.reason);
      const allowlist = createAllowlist({ wallMs: () => nowMs });
      for (const entry of allowed) allowlist.put(allowEntry(entry));
      const records = said.map(([provider = '', confidence, ...words]) =>
        stated(words, { ...fieldsOf(words), indicator, provider, confidence: Number(confidence) }),
      );
      const values = question.parse(Object.fromEntries(new URLSearchParams(asked)));
      const explanation = explain(
        parsed.value.itype,
        parsed.value.indicator,
        records,
        feedQuestionOf(values, nowMs),
        allowlist,
        nowMs,
      );
      const words = [explanation.why, ...explanation.statements.map((statement) => statement.why)].join('\n');
      expect([explanation.in_feed ? 'in' : 'out', words]).toEqual([decision, expect.stringContaining(why)]);
    },
  );
});
