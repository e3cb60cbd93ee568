import type { NodeId, Vector } from '../event/types.ts';
import { addRange, difference, emptyHeld, lastSeqOf } from '../event/vector.ts';
import type { IndicatorStore, LogPlace } from '../store/store.ts';
import { createCeilings, createFloors, type Floors } from './log-times.ts';

/** How far back the log goes, by the time when events were made. */
export type Reach = {
  /** The earliest time behind each position. */
  readonly floors: Floors;
  /**
   * The position from behind which everything can be had that was made at `ms` or later; undefined when some of it is in no
   * log of this node any more, or never was: it came by a snapshot.
   */
  positionSince(ms: number): number | undefined;
};

/** Batches of one origin that follow one another; `fromMs` is the time of the first. */
type Run = { from: number; to: number; fromMs: number };

/** Reads where everything lies that is in the log, once through: some µs for each place. Rejects with StoreError. */
export async function readReach(
  store: Pick<IndicatorStore, 'vector' | 'lostMs' | 'logPlaces' | 'lastPosition'>,
): Promise<Reach> {
  // Before the first place is read: what is held by then is in the log, or is in none.
  const vector = store.vector();
  let last = store.lastPosition();
  let end: number | undefined;
  const floors = createFloors();
  const ceilings = createCeilings();
  const logged = new Map<NodeId, Run[]>();
  for await (const places of store.logPlaces()) {
    for (const place of places) {
      const { position, changes, lastMs: ms, batch } = place;
      if (batch !== undefined) addRun(logged, batch, ms);
      if (changes === 0) continue;
      // A snapshot came in between, with changes of any age that are in no stream.
      if (end !== undefined && position !== end + 1) floors.add(position - 1, 0);
      end = position + changes - 1;
      last = Math.max(last, end);
      floors.add(end, ms);
      ceilings.add(position, ms);
    }
  }
  const wholeAfterMs = lostUntil(vector, await store.lostMs(), logged);
  return {
    floors,
    positionSince: (ms) => (ms > wholeAfterMs ? (ceilings.before(ms) ?? last) : undefined),
  };
}

function addRun(
  logged: Map<NodeId, Run[]>,
  { origin, firstSeq: from, lastSeq: to }: NonNullable<LogPlace['batch']>,
  lastMs: number,
): void {
  const runs = logged.get(origin);
  const last = runs?.at(-1);
  // By far the commonest case: the next batch of an origin.
  if (last !== undefined && last.to + 1 === from) last.to = to;
  else if (runs !== undefined) runs.push({ from, to, fromMs: lastMs });
  else logged.set(origin, [{ from, to, fromMs: lastMs }]);
}

/** When the newest event was made, at the latest, that is held and is not in the log. */
function lostUntil(
  vector: Vector,
  lostMs: ReadonlyMap<NodeId, number>,
  logged: ReadonlyMap<NodeId, Run[]>,
): number {
  const inLog = new Map(
    Array.from(logged, ([origin, runs]) => [
      origin,
      runs.sort((a, b) => a.from - b.from).reduce(addRange, emptyHeld),
    ]),
  );
  let untilMs = Number.NEGATIVE_INFINITY;
  for (const [origin, lost] of difference(vector, inLog)) {
    const newest = lastSeqOf(lost);
    // An origin's events are in the order of their times: what follows in the log was made later.
    const behindMs =
      logged.get(origin)?.find(({ from }) => from > newest)?.fromMs ?? Number.POSITIVE_INFINITY;
    untilMs = Math.max(untilMs, Math.min(behindMs, lostMs.get(origin) ?? Number.POSITIVE_INFINITY));
  }
  return untilMs;
}
