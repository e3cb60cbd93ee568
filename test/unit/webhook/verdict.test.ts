import { expect, test } from 'vitest';
import type { Posted } from '../../../src/webhook/post.ts';
import { backoffMs, reasonOf, retryAfterMs, verdictOf } from '../../../src/webhook/verdict.ts';

const nowMs = Date.UTC(2026, 0, 2);
const hourMs = 60 * 60 * 1_000;
const answered = (status: number, retryAfter?: string, text = ''): Posted => ({
  kind: 'answered',
  status,
  retryAfter,
  text,
});
const tries = (attempts: number, agoMs = 0) => ({ attempts, queuedMs: nowMs - agoMs });
const half = () => 0.5;

test('every 2xx is delivered', () => {
  for (const status of [200, 201, 202, 204, 299])
    expect(verdictOf(answered(status), tries(1), nowMs, half)).toEqual({ kind: 'delivered' });
});

test('410 ends the webhook', () => {
  expect(verdictOf(answered(410), tries(1), nowMs, half)).toMatchObject({ kind: 'gone' });
});

test('faults of the receiver and of the way there are retried for a day, then the message is dead', () => {
  const faults = [
    answered(500),
    answered(503),
    answered(307),
    answered(408),
    answered(425),
    answered(429),
    { kind: 'failed', reason: 'no answer within 15 s' } as const,
  ];
  for (const fault of faults) {
    expect(verdictOf(fault, tries(1_000, 24 * hourMs - 1), nowMs, half)).toMatchObject({ kind: 'retry' });
    expect(verdictOf(fault, tries(2, 24 * hourMs), nowMs, half)).toMatchObject({ kind: 'dead' });
  }
});

test('other 4xx and refusals of ours are tried three times', () => {
  for (const no of [
    answered(400),
    answered(404),
    answered(422),
    { kind: 'refused', reason: 'private' } as const,
  ]) {
    expect(verdictOf(no, tries(1), nowMs, half)).toMatchObject({ kind: 'retry' });
    expect(verdictOf(no, tries(2), nowMs, half)).toMatchObject({ kind: 'retry' });
    expect(verdictOf(no, tries(3), nowMs, half)).toMatchObject({ kind: 'dead', reason: /3 times/ });
  }
});

test('the next try is drawn from the whole of a span that doubles up to an hour', () => {
  expect([1, 2, 3, 10, 11, 1_000].map((failures) => backoffMs(5_000, hourMs, failures))).toEqual([
    5_000,
    10_000,
    20_000,
    2_560_000,
    hourMs,
    hourMs,
  ]);
  const at = (attempts: number, drawn: number) =>
    verdictOf(answered(500), tries(attempts), nowMs, () => drawn);
  expect(at(3, 0)).toMatchObject({ atMs: nowMs });
  expect(at(3, 0.5)).toMatchObject({ atMs: nowMs + 10_000 });
  expect(at(20, 0.999)).toMatchObject({ atMs: nowMs + Math.floor(0.999 * hourMs) });
});

test('Retry-After in seconds or as a date is waited for, by everything, up to six hours', () => {
  expect(verdictOf(answered(429, '120'), tries(1), nowMs, half)).toMatchObject({
    kind: 'retry',
    atMs: nowMs + 120_000,
    pausedUntilMs: nowMs + 120_000,
  });
  expect(retryAfterMs('Fri, 02 Jan 2026 00:10:00 GMT', nowMs)).toBe(nowMs + 600_000);
  expect(retryAfterMs('999999999', nowMs)).toBe(nowMs + 6 * hourMs);
  expect(retryAfterMs('Fri, 02 Jan 2099 00:10:00 GMT', nowMs)).toBe(nowMs + 6 * hourMs);
  for (const none of [undefined, '', '0', '-5', 'soon', 'Thu, 01 Jan 2026 00:00:00 GMT', '1e99'])
    expect(retryAfterMs(none, nowMs), String(none)).toBeUndefined();
});

test('a reason is one short line without control characters', () => {
  const reason = reasonOf(answered(500, undefined, `a\n\u001b[2J\u202e${'b'.repeat(2_000)}`));
  expect(reason).toMatch(/^it answered 500: a \[2J b+…$/);
  expect(reason.length).toBeLessThanOrEqual(300);
  expect(reasonOf(answered(502))).toBe('it answered 502');
});
