import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fold, rulesOf } from '../../../src/webhook/digest.ts';
import { letterOf } from '../../../src/webhook/letter.ts';
import {
  dropOverdue,
  emptyQueue,
  enqueue,
  heldEvents,
  isOpen,
  type Queue,
  safePosition,
  settle,
  take,
  wakeMs,
} from '../../../src/webhook/queue.ts';
import type { Verdict } from '../../../src/webhook/verdict.ts';

const node = 'ab'.repeat(16);
const standard = rulesOf('standard');
const slack = rulesOf('slack');
const half = () => 0.5;
const delivered: Verdict = { kind: 'delivered' };
const hourMs = 60 * 60 * 1_000;

function event(n: number, description = ''): string {
  return JSON.stringify({
    id: `${node}-${n}`,
    type: 'tocsin.search',
    source: node,
    time: '2026-01-02T03:04:05.006Z',
    data: { q: `h${n}.example.com`, by: 'alice', description },
  });
}

function fresh(from: number, count: number, description = '', queuedMs = 0) {
  return Array.from({ length: count }, (_, i) => ({
    letter: letterOf(`${node}-${from + i}`, event(from + i, description)),
    attempts: 0,
    queuedMs,
    dueMs: queuedMs,
    position: from + i,
  }));
}

function failing(atMs: number): Verdict {
  return { kind: 'retry', atMs, reason: 'it answered 500' };
}

/** Sends one and lets it fail. */
function failOnce(queue: Queue, nowMs: number, dueMs: number): Queue {
  const { queue: sent, sent: letters } = take(queue, standard, 1, nowMs);
  const [letter] = letters;
  if (letter === undefined) throw new Error('nothing was sent');
  return settle(sent, letter, failing(dueMs), nowMs, half);
}

describe('sending', () => {
  test('no more than the cap of the webhook and the slots of the node are under way, in order', () => {
    const queue = enqueue(emptyQueue, fresh(1, 10));
    const first = take(queue, standard, 32, 0);
    expect(first.sent.map(({ letter }) => letter.id)).toEqual([1, 2, 3, 4].map((n) => `${node}-${n}`));
    expect(take(first.queue, standard, 32, 0).sent).toEqual([]);
    expect(wakeMs(first.queue, standard)).toBeUndefined();
    expect(take(queue, standard, 2, 0).sent).toHaveLength(2);
    const [one] = first.sent;
    if (one === undefined) throw new Error('nothing was sent');
    const next = take(settle(first.queue, one, delivered, 0, half), standard, 32, 0);
    expect(next.sent.map(({ letter }) => letter.id)).toEqual([`${node}-5`]);
  });

  test('what failed comes again when it is due, in its place, and one more try is counted', () => {
    let queue = failOnce(enqueue(emptyQueue, fresh(1, 1)), 0, 5_000);
    expect(take(queue, standard, 32, 4_999).sent).toEqual([]);
    expect(wakeMs(queue, standard)).toBe(5_000);
    queue = enqueue(queue, fresh(2, 1));
    const { sent } = take(queue, standard, 32, 5_000);
    expect(sent.map(({ letter, attempts }) => [letter.id, attempts])).toEqual([
      [`${node}-1`, 2],
      [`${node}-2`, 1],
    ]);
  });

  test('a pause that the receiver asked for holds everything', () => {
    const { queue: sent, sent: letters } = take(enqueue(emptyQueue, fresh(1, 2)), standard, 1, 0);
    const [one] = letters;
    if (one === undefined) throw new Error('nothing was sent');
    const paused = settle(
      sent,
      one,
      { kind: 'retry', atMs: 60_000, pausedUntilMs: 60_000, reason: '429' },
      0,
      half,
    );
    expect(take(paused, standard, 32, 59_999).sent).toEqual([]);
    expect(wakeMs(paused, standard)).toBe(60_000);
    expect(take(paused, standard, 32, 60_000).sent).toHaveLength(2);
  });

  test('Slack gets one a second', () => {
    const queue = enqueue(emptyQueue, fresh(1, 3));
    const first = take(queue, slack, 32, 10_000);
    expect(first.sent).toHaveLength(1);
    const [one] = first.sent;
    if (one === undefined) throw new Error('nothing was sent');
    const settled = settle(first.queue, one, delivered, 10_100, half);
    expect(take(settled, slack, 32, 10_999).sent).toEqual([]);
    expect(wakeMs(settled, slack)).toBe(11_000);
    expect(take(settled, slack, 32, 11_000).sent).toHaveLength(1);
  });
});

describe('the breaker', () => {
  function opened(): Queue {
    let queue = enqueue(emptyQueue, fresh(1, 10));
    for (let i = 0; i < 5; i++) queue = failOnce(queue, 0, hourMs);
    return queue;
  }

  test('opens after five failures in a row: only a probe goes, the oldest one, when its time has come', () => {
    const queue = opened();
    expect(isOpen(queue)).toBe(true);
    expect(take(queue, standard, 32, queue.probeMs - 1).sent).toEqual([]);
    expect(wakeMs(queue, standard)).toBe(queue.probeMs);
    const probe = take(queue, standard, 32, queue.probeMs);
    expect(probe.sent.map(({ letter }) => letter.id)).toEqual([`${node}-1`]);
    expect(take(probe.queue, standard, 32, queue.probeMs + hourMs).sent).toEqual([]);
  });

  test('probes become rarer, up to five minutes', () => {
    let queue = opened();
    const spans: number[] = [];
    for (let i = 0; i < 8; i++) {
      const atMs = queue.probeMs;
      queue = failOnce(queue, atMs, atMs + hourMs);
      spans.push(queue.probeMs - atMs);
    }
    expect(spans).toEqual([22_500, 45_000, 90_000, 180_000, 225_000, 225_000, 225_000, 225_000]);
  });

  test('closes when a probe succeeds: those that failed are due within seconds, and nothing is lost', () => {
    const queue = opened();
    const probe = take(queue, standard, 32, queue.probeMs);
    const [one] = probe.sent;
    if (one === undefined) throw new Error('nothing was sent');
    const closed = settle(probe.queue, one, delivered, queue.probeMs, half);
    expect(isOpen(closed)).toBe(false);
    expect(closed.waiting.map(({ letter }) => letter.id)).toEqual(
      Array.from({ length: 9 }, (_, i) => `${node}-${i + 2}`),
    );
    for (const { dueMs } of closed.waiting) expect(dueMs).toBeLessThanOrEqual(queue.probeMs + 5_000);
  });
});

describe('what is safe', () => {
  test('the cursor stands before the first event that is in no document', () => {
    let queue = enqueue(emptyQueue, fresh(11, 3));
    expect(safePosition(queue, 20)).toBe(10);
    queue = failOnce(queue, 0, 5_000);
    // The first one has a document by now.
    expect(safePosition(queue, 20)).toBe(11);
    const { queue: flying, sent } = take(queue, standard, 32, 0);
    expect(safePosition(flying, 20)).toBe(11);
    const done = sent.reduce((at, one) => settle(at, one, delivered, 0, half), flying);
    expect(safePosition(done, 20)).toBe(20);
  });

  test('what waited for a day goes to the dead letters, whether it was tried or not', () => {
    const queue = enqueue(enqueue(emptyQueue, fresh(1, 2)), fresh(3, 1, '', 1));
    const { queue: left, dead } = dropOverdue(queue, 24 * hourMs);
    expect(dead.map(({ letter }) => letter.id)).toEqual([`${node}-1`, `${node}-2`]);
    expect(left.waiting.map(({ letter }) => letter.id)).toEqual([`${node}-3`]);
  });
});

describe('digests', () => {
  test('up to a hundred new letters stay each by itself; above, the oldest fifty go together', () => {
    const hundred = fold(enqueue(emptyQueue, fresh(1, 100)), standard);
    expect(hundred.waiting).toHaveLength(100);
    const more = fold(enqueue(hundred, fresh(101, 1)), standard);
    expect(more.waiting).toHaveLength(52);
    const [digest] = more.waiting;
    expect(digest).toMatchObject({
      letter: {
        id: `digest-${node}-1-${node}-50`,
        count: 50,
        last: { id: `${node}-50` },
      },
      position: 1,
      order: 0,
    });
    expect(heldEvents(more)).toBe(101);
    expect(safePosition(more, 200)).toBe(0);
  });

  test('what was tried is not folded: the receiver may know it', () => {
    let queue = enqueue(emptyQueue, fresh(1, 1));
    queue = failOnce(queue, 0, hourMs);
    const folded = fold(enqueue(queue, fresh(2, 200)), standard);
    expect(folded.waiting[0]?.letter.id).toBe(`${node}-1`);
    expect(folded.waiting[1]?.letter.id).toBe(`digest-${node}-2-${node}-51`);
  });

  test('a digest of a program has all of its events, and fits into a document', () => {
    const folded = fold(enqueue(emptyQueue, fresh(1, 300, 'ü'.repeat(1_000))), standard);
    expect(heldEvents(folded)).toBe(300);
    for (const { letter } of folded.waiting) {
      expect(letter.events).toHaveLength(letter.count);
      expect(Buffer.byteLength(letter.events.join(','))).toBeLessThan(33 * 1024);
    }
  });

  test('a digest for people counts all that comes until it is sent, and names the first fifty', () => {
    let queue = fold(enqueue(emptyQueue, fresh(1, 10)), slack);
    expect(queue.waiting).toHaveLength(10);
    queue = fold(enqueue(queue, fresh(11, 1)), slack);
    expect(queue.waiting).toHaveLength(1);
    for (let i = 0; i < 50; i++) queue = fold(enqueue(queue, fresh(12 + i * 100, 100)), slack);
    expect(queue.waiting).toHaveLength(1);
    expect(queue.waiting[0]).toMatchObject({
      letter: { id: `digest-${node}-1-${node}-5011`, count: 5_011, last: { id: `${node}-5011` } },
      position: 1,
    });
    expect(queue.waiting[0]?.letter.events).toHaveLength(50);
    // Once it was sent it is what it is.
    const { queue: sent } = take(queue, slack, 1, 0);
    expect(fold(enqueue(sent, fresh(6_000, 1)), slack).waiting).toHaveLength(1);
  });
});

test('whatever a receiver does, every event is delivered, dead or waiting, exactly once', () => {
  const step = fc.record({
    came: fc.nat({ max: 60 }),
    answers: fc.array(fc.constantFrom<'ok' | 'fail' | 'pause' | 'dead'>('ok', 'fail', 'pause', 'dead'), {
      maxLength: 6,
    }),
    passMs: fc.nat({ max: 600_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.constantFrom(standard, slack), (steps, rules) => {
      let queue = emptyQueue;
      let nowMs = 0;
      let made = 0;
      let ended = 0;
      for (const { came, answers, passMs } of steps) {
        queue = fold(enqueue(queue, fresh(made + 1, came, '', nowMs)), rules);
        made += came;
        const overdue = dropOverdue(queue, nowMs);
        queue = overdue.queue;
        for (const { letter } of overdue.dead) ended += letter.count;
        for (const answer of answers) {
          const taken = take(queue, rules, 32, nowMs);
          queue = taken.queue;
          for (const one of taken.sent) {
            const verdict: Verdict =
              answer === 'ok'
                ? delivered
                : answer === 'dead'
                  ? { kind: 'dead', reason: 'no' }
                  : {
                      ...failing(nowMs + 1_000),
                      ...(answer === 'pause' && { pausedUntilMs: nowMs + 30_000 }),
                    };
            queue = settle(queue, one, verdict, nowMs, half);
            if (verdict.kind !== 'retry') ended += one.letter.count;
          }
        }
        const waiting = [...queue.waiting, ...queue.flying].reduce(
          (sum, { letter }) => sum + letter.count,
          0,
        );
        expect(ended + waiting).toBe(made);
        expect(new Set(queue.waiting.map(({ letter }) => letter.id)).size).toBe(queue.waiting.length);
        nowMs += passMs;
      }
    }),
    { numRuns: 50 },
  );
});
