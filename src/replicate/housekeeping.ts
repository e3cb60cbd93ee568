import { type Clock, every, jitter, type Random } from 'tocsin/mesh';
import type { NodeId } from '../event/types.ts';
import type { IndicatorStore } from '../store/store.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** What is kept of the event log (design 5): it is what a node that was away needs, and what a stream is read back from. */
export type KeepLimits = {
  readonly windowMs: number;
  readonly logBytesMax: number;
};

export type HousekeepingParts = {
  readonly store: IndicatorStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly keep: KeepLimits;
  /** False while what this node has streamed must stay in its log. */
  readonly isInStep: () => boolean;
  /** Origins that are in the mesh now, this node too. */
  readonly present: () => ReadonlySet<NodeId>;
  readonly info: (message: string, details: Record<string, unknown>) => void;
  readonly warn: (message: string, details: Record<string, unknown>) => void;
};

/** The moment before which a record must have expired to be swept now: the same on all nodes for an hour. */
export function sweepBefore(wallMs: number, windowMs: number): number {
  // A record outlives its expiry by the window, so that every event that still may come meets it on every node, or on none.
  return Math.floor(wallMs / hourMs) * hourMs - windowMs;
}

/** Of the time, what finding those that expire may take: it reads all records. */
const expiryShare = 0.01;

/**
 * Keeps the log in its window, forgets origins that are long gone, sweeps records that have expired long since, and has the
 * stream told of those that expire.
 */
export function startHousekeeping(parts: HousekeepingParts): { stop(): Promise<void> } {
  const { store, clock, random, keep, isInStep, present, info, warn } = parts;
  let sweptBeforeMs = 0;
  let running: Promise<void> | undefined;
  let expiriesDueMs = 0;

  async function tidy(): Promise<void> {
    const wallMs = clock.wallMs();
    const trimmed = await store.trimLog({ sinceMs: wallMs - keep.windowMs, bytesMax: keep.logBytesMax });
    if (trimmed > 0) info('the event log was trimmed', { batches: trimmed, bytes: store.logBytes() });
    const here = present();
    const forgotten = [...store.lastMs()].flatMap(([origin, lastMs]) =>
      lastMs < wallMs - 2 * keep.windowMs && !here.has(origin) ? [origin] : [],
    );
    if (forgotten.length > 0) await store.forgetOrigins(forgotten);
    const beforeMs = sweepBefore(wallMs, keep.windowMs);
    if (beforeMs === sweptBeforeMs) return;
    const swept = await store.sweep(beforeMs);
    sweptBeforeMs = beforeMs;
    if (swept > 0) info('records that had expired were swept', { records: swept });
  }

  /** As often as a hundredth of the time allows: a large store is read less often, and a small one every minute. */
  async function expire(): Promise<void> {
    const beganMs = clock.monotonicMs();
    if (beganMs < expiriesDueMs) return;
    await store.expire(clock.wallMs());
    const tookMs = clock.monotonicMs() - beganMs;
    expiriesDueMs = beganMs + tookMs / expiryShare;
  }

  function run(): void {
    if (!isInStep()) return;
    running ??= expire()
      .then(tidy)
      .catch((error: unknown) => warn('the log could not be trimmed; it will be tried again', { error }))
      .finally(() => {
        running = undefined;
      });
  }

  run();
  const ticker = every(clock, () => jitter(random, minuteMs), run);
  return {
    async stop() {
      ticker.stop();
      await running;
    },
  };
}
