import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import { sealBatches } from '../../../src/event/batch.ts';
import { type HybridClock, hlcAt, hybridClock } from '../../../src/event/hlc.ts';
import { createIdentity } from '../../../src/event/identity.ts';
import type { OpenedBatch } from '../../../src/event/types.ts';
import { parseObservation, standardDefaults } from '../../../src/indicator/observation.ts';
import { createIntake, type Intake } from '../../../src/intake/intake.ts';
import { intakeLimits as limits } from '../../../src/intake/limits.ts';
import type { Row } from '../../../src/intake/row.ts';
import { StoreError } from '../../../src/store/errors.ts';
import { openStore } from '../../../src/store/level-store.ts';
import type { IndicatorStore } from '../../../src/store/store.ts';
import { ackLocally as acknowledged } from '../../support/ack-locally.ts';
import { manualClock, startMs } from '../../support/rooms.ts';

const identity = createIdentity(new Uint8Array(32).fill(7));
const defaults = { ...standardDefaults, provider: 'test' };

/** A store in memory whose commits are counted, and fail when told to. */
async function countedStore() {
  const inner = await openStore(new MemoryLevel<string, string>());
  const commits: (readonly OpenedBatch[])[] = [];
  let fault: StoreError | undefined;
  const store: IndicatorStore = {
    ...inner,
    commit(batches) {
      commits.push(batches);
      return fault === undefined ? inner.commit(batches) : Promise.reject(fault);
    },
  };
  return {
    store,
    commits,
    fail: () => {
      fault = new StoreError('NO_SPACE', 'the disk is full');
    },
    heal: () => {
      fault = undefined;
    },
  };
}

function intakeOver(store: IndicatorStore, clock: HybridClock = hybridClock(manualClock(), 0n)): Intake {
  return createIntake({ store, identity, hybridClock: clock, clock: manualClock(), acknowledged });
}

function rowsOf(...values: readonly unknown[]): readonly Row[] {
  return values.map((value, i) => ({ row: i + 1, value }));
}

function manyRows(length: number, name = 'host'): readonly Row[] {
  return rowsOf(...Array.from({ length }, (_, i) => `${name}${i}.example.com`));
}

/** Every seq that was handed to the store, in order. */
function seqsOf(commits: readonly (readonly OpenedBatch[])[]): readonly number[] {
  return commits.flat().flatMap(({ events }) => events.map(({ seq }) => seq));
}

function upTo(length: number): readonly number[] {
  return Array.from({ length }, (_, i) => i + 1);
}

test('every row is answered: created, updated, or refused with its number and a reason', async () => {
  const { store } = await countedStore();
  const intake = intakeOver(store);
  const refusedBefore: Row = { row: 4, refusal: { code: 'bad-json', reason: 'the line is no JSON' } };
  const outcome = await intake.submit(
    [
      { row: 1, value: 'example.com' },
      { row: 2, value: { indicator: 'hxxp://example[.]com/a', tags: ['malware'], confidence: '9' } },
      { row: 3, value: 'no indicator' },
      refusedBefore,
      { row: 5, value: { indicator: 'example.org', colour: 'red' } },
      { row: 6, value: { indicator: 'example.org', confidence: 11 } },
      { row: 7, value: 'example.com' },
      { row: 8, value: 'bad\0.example.com' },
      { row: 9, value: 'bad\ufffd.example.com' },
      { row: 10, value: `http://example.com/${'a'.repeat(64 * 1024)}` },
      { row: 11, value: 12 },
    ],
    defaults,
  );
  expect(outcome).toMatchObject({
    accepted: 3,
    created: 2,
    updated: 1,
    ack: { wanted: 1, reached: 'local' },
    events: { first: `${identity.nodeId}-1`, last: `${identity.nodeId}-3` },
  });
  expect(outcome.refused.map(({ row, code }) => [row, code])).toEqual([
    [3, 'whitespace'],
    [4, 'bad-json'],
    [5, 'unknown-field'],
    [6, 'out-of-range'],
    [8, 'control-character'],
    [9, 'encoding'],
    [10, 'too-long'],
    [11, 'not-a-row'],
  ]);
  for (const { reason } of outcome.refused) expect(reason).not.toBe('');
  expect(store.count()).toBe(2);
});

test('a submission without a good row writes nothing and uses no seq', async () => {
  const { store, commits } = await countedStore();
  const intake = intakeOver(store);
  expect(await intake.submit([], defaults)).toEqual({
    accepted: 0,
    created: 0,
    updated: 0,
    refused: [],
    ack: { wanted: 1, reached: 'local' },
  });
  expect(await intake.submit(rowsOf('no indicator'), defaults)).toMatchObject({ accepted: 0 });
  expect(commits).toEqual([]);
  expect((await intake.submit(rowsOf('example.com'), defaults)).events?.first).toBe(`${identity.nodeId}-1`);
});

test('submissions at once share commits, and seq counts on without a gap over all of them', async () => {
  const { store, commits } = await countedStore();
  const intake = intakeOver(store);
  const outcomes = await Promise.all(
    Array.from({ length: 40 }, (_, i) => intake.submit(manyRows(10, `s${i}-`), defaults)),
  );
  expect(outcomes.every(({ accepted, created }) => accepted === 10 && created === 10)).toBe(true);
  expect(commits.length).toBeLessThanOrEqual(3);
  expect(seqsOf(commits)).toEqual(upTo(400));
  const ranges = outcomes.map(({ events }) => events);
  expect(new Set(ranges.map((range) => range?.first)).size).toBe(40);
});

test('hybrid time grows with seq', async () => {
  const { store, commits } = await countedStore();
  await intakeOver(store).submit(manyRows(1_000), defaults);
  const hlcs = commits.flat().flatMap(({ events }) => events.map(({ hlc }) => hlc));
  expect(hlcs).toEqual([...new Set(hlcs)].sort((a, b) => (a < b ? -1 : 1)));
});

test('a large submission is written in parts, with other work in between', async () => {
  const { store, commits } = await countedStore();
  const intake = intakeOver(store);
  let turns = 0;
  let done = false;
  const beat = () => {
    turns++;
    if (!done) setImmediate(beat);
  };
  setImmediate(beat);
  const large = intake.submit(manyRows(5 * limits.rowsPerCommit), defaults);
  const small = intake.submit(rowsOf('example.org'), defaults);
  expect(await small).toMatchObject({ accepted: 1 });
  expect(await large).toMatchObject({ accepted: 5 * limits.rowsPerCommit });
  done = true;
  expect(turns).toBeGreaterThanOrEqual((5 * limits.rowsPerCommit) / limits.rowsPerTurn - 1);
  expect(seqsOf(commits)).toEqual(upTo(5 * limits.rowsPerCommit + 1));
});

test('no commit is larger than what may be worked out in one go', async () => {
  const { store, commits } = await countedStore();
  const intake = intakeOver(store);
  await Promise.all(Array.from({ length: 10 }, (_, i) => intake.submit(manyRows(450, `s${i}-`), defaults)));
  for (const commit of commits) {
    expect(commit.flatMap(({ events }) => events).length).toBeLessThanOrEqual(limits.rowsPerCommit);
  }
});

test('above the cap of waiting rows a submission is BUSY, takes nothing, and may come again later', async () => {
  const { store } = await countedStore();
  const intake = intakeOver(store);
  const rows = rowsOf(...Array.from({ length: limits.rowsMax }, () => 'no indicator'));
  const waiting = Array.from({ length: limits.queuedRowsMax / limits.rowsMax }, () =>
    intake.submit(rows, defaults),
  );
  await expect(intake.submit(rowsOf('example.com'), defaults)).rejects.toMatchObject({ code: 'BUSY' });
  await Promise.all(waiting);
  expect(await intake.submit(rowsOf('example.com'), defaults)).toMatchObject({ created: 1 });
});

test('after a commit failed nothing is written any more, as a seq must never be signed twice', async () => {
  const { store, commits, fail, heal } = await countedStore();
  const intake = intakeOver(store);
  await intake.submit(rowsOf('example.com'), defaults);
  fail();
  const failed = intake.submit(rowsOf('example.net'), defaults);
  // Still parsing when the commit fails.
  const late = intake.submit(manyRows(3 * limits.rowsPerTurn), defaults);
  await expect(failed).rejects.toMatchObject({ code: 'BROKEN', cause: { code: 'NO_SPACE' } });
  await expect(late).rejects.toMatchObject({ code: 'BROKEN' });
  heal();
  await expect(intake.submit(rowsOf('example.org'), defaults)).rejects.toMatchObject({ code: 'BROKEN' });
  expect(seqsOf(commits)).toEqual([1, 2]);
  await intake.stop();
});

test('a new start goes on behind what the store holds', async () => {
  const { store } = await countedStore();
  await intakeOver(store).submit(manyRows(3), defaults);
  const outcome = await intakeOver(store, hybridClock(manualClock(), store.lastHlc())).submit(
    manyRows(2),
    defaults,
  );
  expect(outcome.events).toEqual({ first: `${identity.nodeId}-4`, last: `${identity.nodeId}-5` });
});

test('events of this node that come back from peers are never numbered again', async () => {
  const { store } = await countedStore();
  const intake = intakeOver(store);
  await intake.submit(manyRows(2), defaults);
  // From before this node's disk was put back: 3 and 4 are still on their way.
  await store.commit(batchOfOwn(5, 'example.org'));
  expect((await intake.submit(rowsOf('example.com'), defaults)).events?.first).toBe(`${identity.nodeId}-6`);
});

test('a seq that turns out to be used stops the intake instead of losing the event', async () => {
  const { store } = await countedStore();
  const racing: IndicatorStore = {
    ...store,
    async commit(batches) {
      await store.commit(batchOfOwn(1, 'example.org'));
      return store.commit(batches);
    },
  };
  const intake = intakeOver(racing);
  await expect(intake.submit(rowsOf('example.com'), defaults)).rejects.toMatchObject({ code: 'BROKEN' });
});

test('stop takes nothing more, and waits for what was taken, even when it is still being parsed', async () => {
  const { store } = await countedStore();
  const intake = intakeOver(store);
  const taken = intake.submit(manyRows(3 * limits.rowsPerTurn), defaults);
  const stopping = intake.stop();
  await expect(intake.submit(rowsOf('example.com'), defaults)).rejects.toMatchObject({ code: 'STOPPED' });
  await stopping;
  expect(store.count()).toBe(3 * limits.rowsPerTurn);
  expect(await taken).toMatchObject({ accepted: 3 * limits.rowsPerTurn });
  await intake.stop();
});

function batchOfOwn(seq: number, indicator: string): readonly OpenedBatch[] {
  const body = parseObservation(indicator, defaults, startMs);
  if (!body.ok) throw new Error(body.reason);
  return sealBatches(identity, seq, [{ hlc: hlcAt(startMs) + 500n, kind: 'observe', body: body.value }]);
}
