import { createHash } from 'node:crypto';
import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { type IndicatorRecord, type Itype, itypes } from '../indicator/types.ts';
import { isBehind } from '../store/keys.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { Allowlist } from './allowlist/allowlist.ts';
import { asideOf, createAsides, type LeftOut } from './aside.ts';
import type { ChangedValues, Value } from './changed-values.ts';
import {
  type Chunk,
  chunkAt,
  chunkOf,
  contextText,
  joined,
  type KeptRow,
  keptRow,
  linesOf,
  rowsUpTo,
  type Slice,
  sliceOf,
  valueOfLine,
  withChanges,
} from './chunk.ts';
import { FeedUnavailable } from './errors.ts';
import { judge, listsOf, mayEnter } from './judge.ts';
import { feedLimits } from './limits.ts';
import { orderKey, placeOf, writePlace } from './order-key.ts';
import type { FeedQuestion } from './question.ts';
import { dayOf } from './window.ts';

export type FeedCut = {
  readonly limit: number;
  /** An order key: behind it the page begins. */
  readonly after?: string;
};

/** A page of a feed, as it was when it was asked for. */
export type FeedPage = LeftOut & {
  readonly slices: readonly Slice[];
  /** Rows. */
  readonly count: number;
  /** The place to go on from (order-key.ts); absent at the end. */
  readonly next?: string;
  /** SHA-256 over the rows, hex: the same on every node for the same rows. */
  readonly digest: string;
};

export type KeptFeedParts = {
  readonly store: IndicatorStore;
  readonly clock: Clock;
  readonly allowlist: () => Allowlist | undefined;
  readonly changes: ChangedValues;
  /** Runs it when not too many others read the store. */
  readonly reading: <T>(task: () => Promise<T>) => Promise<T>;
};

export type KeptFeed = {
  page(cut: FeedCut): Promise<FeedPage>;
  /** Whether a page of it is best made from here. */
  serves(cut: FeedCut): boolean;
  bytes(): number;
};

/** What a row takes beside its text, and what a value left aside takes. Measured, roughly. */
const rowBytes = 160;
const asideBytes = 300;

/**
 * The rows of one question from `start` on, as far as they were asked for, kept in step: a page costs what changed since the
 * last one. Pages are made one after another. What it needs anew is read from the store; see `reset` for when that is all.
 */
export function createKeptFeed(
  parts: KeptFeedParts,
  question: FeedQuestion,
  start: string | undefined,
): KeptFeed {
  const { store, clock, changes } = parts;
  const wanted = itypes.filter((itype) => question.statements.itypes?.includes(itype) ?? true);
  const asides = createAsides();
  let chunks: readonly Chunk[] = [];
  /** What stands up to here was read; all, when complete. */
  let end = start;
  let complete = false;
  /** Of `changes`, the last that is in it; undefined when all is to be read anew. */
  let position: number | undefined;
  let allowVersion = 0;
  /** When it was brought up to date, and the first moment from which on time alone has changed something. */
  let atMs = 0;
  let nextMs = Number.POSITIVE_INFINITY;
  let pages = new Map<string, FeedPage>();
  let turn: Promise<unknown> = Promise.resolve();

  function page(cut: FeedCut): Promise<FeedPage> {
    const made = turn.then(() => makePage(cut));
    turn = made.catch(() => undefined);
    return made;
  }

  async function makePage(cut: FeedCut): Promise<FeedPage> {
    const allowlist = parts.allowlist();
    if (allowlist === undefined) throw new FeedUnavailable();
    const nowMs = clock.wallMs();
    try {
      await update(nowMs, allowlist);
      await fill(cut, nowMs, allowlist);
    } catch (cause) {
      position = undefined;
      throw cause;
    }
    const key = JSON.stringify(cut);
    const found = pages.get(key) ?? cutPage(cut);
    if (pages.size >= feedLimits.pagesMax) pages.clear();
    pages.set(key, found);
    // What is left aside cannot be kept in step: the next page is made from the store.
    if (asides.isOverflown()) position = undefined;
    return found;
  }

  /** Forgets everything: on the first page, on a new day, and when it is not known what changed. */
  function reset(allowlist: Allowlist): void {
    chunks = [];
    asides.clear();
    end = start;
    complete = false;
    position = changes.position();
    allowVersion = allowlist.version();
    nextMs = Number.POSITIVE_INFINITY;
    pages = new Map();
  }

  async function update(nowMs: number, allowlist: Allowlist): Promise<void> {
    const changed = position === undefined ? undefined : changes.since(position);
    const isOtherDay = dayOf(nowMs) !== dayOf(atMs);
    const goesBack = nowMs < atMs;
    atMs = nowMs;
    if (changed === undefined || isOtherDay || goesBack) return reset(allowlist);
    position = changes.position();
    const dirty = new Map<string, Value>();
    for (const value of changed) {
      const key = wanted.includes(value.itype) ? orderKey(value.itype, value.indicator) : undefined;
      if (key !== undefined && isRead(key)) dirty.set(key, value);
    }
    if (nowMs >= nextMs) addTimed(dirty, nowMs);
    const version = allowlist.version();
    if (version !== allowVersion) {
      allowVersion = version;
      await addOtherwiseAllowed(dirty, allowlist);
    }
    if (dirty.size > feedLimits.changedMax) return reset(allowlist);
    if (dirty.size > 0) await readAgain(dirty, nowMs, allowlist);
  }

  function isRead(key: string): boolean {
    if (start !== undefined && !isBehind(key, start)) return false;
    return complete || (end !== undefined && end !== start && !isBehind(key, end));
  }

  /** What time has changed. */
  function addTimed(dirty: Map<string, Value>, nowMs: number): void {
    for (const chunk of chunks) {
      let lines: readonly string[] | undefined;
      for (const [i, untilMs] of chunk.untilMs.entries()) {
        if (untilMs > nowMs) continue;
        lines ??= linesOf(chunk);
        dirty.set(chunk.keys[i] ?? '', valueAt(lines, i));
      }
    }
    for (const [key, aside] of asides.entries()) if (aside.untilMs <= nowMs) dirty.set(key, aside);
  }

  /** Of which the allowlist says something else than it did. */
  async function addOtherwiseAllowed(dirty: Map<string, Value>, allowlist: Allowlist): Promise<void> {
    for (const chunk of chunks) {
      const lines = linesOf(chunk);
      for (const [i, key] of chunk.keys.entries()) {
        const value = valueAt(lines, i);
        const { suppressedBy, context } = allowlist.check(value.itype, value.indicator);
        const isSame = suppressedBy === undefined && contextText(listsOf(context)) === chunk.contexts[i];
        if (!isSame) dirty.set(key, value);
      }
      await eventLoopTurn();
    }
    for (const [key, aside] of asides.entries()) {
      if (aside.kind !== 'allowlisted') continue;
      const { suppressedBy } = allowlist.check(aside.itype, aside.indicator);
      if (suppressedBy?.list !== aside.list) dirty.set(key, aside);
    }
  }

  async function readAgain(
    dirty: ReadonlyMap<string, Value>,
    nowMs: number,
    allowlist: Allowlist,
  ): Promise<void> {
    const rows = new Map<string, KeptRow | undefined>();
    const left = [...dirty];
    while (left.length > 0) {
      const some = left.splice(-feedLimits.valuesAtOnce);
      await Promise.all(
        some.map(async ([key, { itype, indicator }]) => {
          const records = await store.byValue(itype, indicator);
          rows.set(key, rowOrAside(key, { itype, indicator }, records, nowMs, allowlist));
        }),
      );
    }
    chunks = withChanges(chunks, rows);
    trim();
    nextMs = earliest();
    pages = new Map();
  }

  function rowOrAside(
    key: string,
    { itype, indicator }: Value,
    records: readonly IndicatorRecord[],
    nowMs: number,
    allowlist: Allowlist,
  ): KeptRow | undefined {
    const judgement = judge(itype, indicator, records, question, allowlist, nowMs);
    asides.delete(key);
    if (judgement.kind === 'row') return keptRow(key, judgement.row, judgement.untilMs);
    const aside = asideOf({ itype, indicator }, judgement);
    if (aside !== undefined) asides.set(key, aside);
    return undefined;
  }

  function earliest(): number {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const { untilMs } of chunks) for (const ms of untilMs) if (ms < earliestMs) earliestMs = ms;
    for (const [, { untilMs }] of asides.entries()) if (untilMs < earliestMs) earliestMs = untilMs;
    return earliestMs;
  }

  /** Of a feed that has grown, what is behind the most that is kept is read again when it is asked for. */
  function trim(): void {
    let rows = rowCount();
    while (rows > feedLimits.rowsKeptMax + feedLimits.rowsPerChunk) {
      rows -= chunks.at(-1)?.keys.length ?? 0;
      chunks = chunks.slice(0, -1);
      end = chunks.at(-1)?.keys.at(-1);
      complete = false;
      if (end !== undefined) asides.deleteBehind(end);
    }
  }

  function rowCount(): number {
    return chunks.reduce((sum, { keys }) => sum + keys.length, 0);
  }

  /** Rows at `key` and before it. */
  function rowsBefore(key: string | undefined): number {
    if (key === undefined || chunks.length === 0) return 0;
    const at = chunkAt(chunks, key);
    const chunk = chunks[at];
    const before = chunks.slice(0, at).reduce((sum, { keys }) => sum + keys.length, 0);
    return before + (chunk === undefined ? 0 : rowsUpTo(chunk, key));
  }

  /** Reads on until there is one row more than a page needs, or none. */
  async function fill({ limit, after }: FeedCut, nowMs: number, allowlist: Allowlist): Promise<void> {
    let missing = limit + 1 - (rowCount() - rowsBefore(after));
    if (complete || missing <= 0) return;
    pages = new Map();
    await parts.reading(async () => {
      const made: Chunk[] = [];
      let rows: KeptRow[] = [];
      function finishChunk(): void {
        if (rows.length > 0) made.push(chunkOf(rows));
        rows = [];
      }
      /** Until the page is full. */
      function add(value: Value, records: readonly IndicatorRecord[]): boolean {
        const key = orderKey(value.itype, value.indicator);
        const row = rowOrAside(key, value, records, nowMs, allowlist);
        if (row === undefined) return false;
        rows.push(row);
        if (rows.length === feedLimits.rowsPerChunk) finishChunk();
        if (after === undefined || isBehind(key, after)) missing--;
        if (missing === 0) end = key;
        return missing === 0;
      }
      await readBehind(end, nowMs, add);
      finishChunk();
      chunks = joined(chunks, made);
      complete = missing > 0;
    });
    nextMs = earliest();
  }

  /** Hands over the values of the store that may be rows, in order, until it is told to stop. */
  async function readBehind(
    key: string | undefined,
    nowMs: number,
    add: (value: Value, records: readonly IndicatorRecord[]) => boolean,
  ): Promise<void> {
    const from = key === undefined ? undefined : placeOf(key);
    const startAt = from === undefined ? 0 : itypes.indexOf(from.itype);
    for (const itype of wanted) {
      if (itypes.indexOf(itype) < startAt) continue;
      const after = itype === from?.itype ? from.valueKey : undefined;
      for await (const values of store.scan(itype, after, mayEnter(itype, question, nowMs))) {
        for (const records of values) {
          if (add({ itype, indicator: records[0]?.indicator ?? '' }, records)) return;
        }
      }
    }
  }

  function cutPage({ limit, after }: FeedCut): FeedPage {
    const slices: Slice[] = [];
    let skip = rowsBefore(after);
    let count = 0;
    let last: string | undefined;
    let isMore = false;
    for (const chunk of chunks) {
      const from = Math.min(skip, chunk.keys.length);
      const to = Math.min(chunk.keys.length, from + limit - count);
      skip -= from;
      if (to > from) {
        slices.push(sliceOf(chunk, from, to));
        last = chunk.keys[to - 1];
      }
      count += to - from;
      isMore = to < chunk.keys.length;
      if (isMore) break;
    }
    const hash = createHash('sha256');
    for (const { json } of slices) hash.update(json);
    return {
      ...asides.leftOut(after, isMore ? last : undefined),
      slices,
      count,
      ...(isMore && last !== undefined && { next: writePlace(last) }),
      digest: hash.digest('hex'),
    };
  }

  function serves({ limit, after }: FeedCut): boolean {
    if (after === undefined) return start === undefined;
    if (start !== undefined && isBehind(start, after)) return false;
    if (start === after) return true;
    if (!complete && (end === undefined || end === start || isBehind(after, end))) return false;
    return complete || rowsBefore(after) + limit < feedLimits.rowsKeptMax;
  }

  return {
    page,
    serves,
    bytes: () =>
      asides.size() * asideBytes +
      chunks.reduce(
        (sum, { keys, json, csv }) => sum + keys.length * rowBytes + json.length + (csv?.length ?? 0),
        0,
      ),
  };
}

function valueAt(lines: readonly string[], i: number): Value {
  const { itype, indicator } = valueOfLine(lines[i] ?? '');
  return { itype: itype as Itype, indicator };
}
