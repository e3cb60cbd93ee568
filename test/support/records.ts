import { MemoryLevel } from 'memory-level';
import { sealBatches } from '../../src/event/batch.ts';
import { hlcAt } from '../../src/event/hlc.ts';
import { createIdentity } from '../../src/event/identity.ts';
import { parseObservation, standardDefaults } from '../../src/indicator/observation.ts';
import { mergeObservation } from '../../src/indicator/record.ts';
import type { IndicatorRecord, Observation } from '../../src/indicator/types.ts';
import { openStore } from '../../src/store/level-store.ts';

export const nowMs = Date.UTC(2026, 5, 1);
export const dayMs = 24 * 60 * 60 * 1_000;
const identity = createIdentity(new Uint8Array(32).fill(3));

export type Fields = Readonly<Record<string, unknown>> & { readonly indicator: string };

function observationOf(fields: Fields): Observation {
  const parsed = parseObservation(fields, { ...standardDefaults, provider: 'test' }, nowMs);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

/** A record as the store would hold it, reported at `reportedMs`. */
export function recordOf(fields: Fields, reportedMs = nowMs): IndicatorRecord {
  const stamp = { hlc: hlcAt(reportedMs), origin: identity.nodeId };
  return mergeObservation(undefined, observationOf(fields), stamp);
}

/** A store in memory, and a way to add rows to it that are reported one after another, a millisecond apart. */
export async function storeOf(...rows: readonly Fields[]) {
  const store = await openStore(new MemoryLevel<string, string>());
  let seq = 1;
  async function add(...more: readonly Fields[]): Promise<void> {
    const entries = more.map((fields, i) => ({
      hlc: hlcAt(nowMs + seq + i),
      kind: 'observe' as const,
      body: observationOf(fields),
    }));
    await store.commit(sealBatches(identity, seq, entries));
    seq += more.length;
  }
  await add(...rows);
  return { store, add };
}
