import { systemClock } from 'tocsin/mesh';
import { loadOrCreateIdentity, openDataDirectory } from '../../src/data-directory.ts';
import { sealBatches } from '../../src/event/batch.ts';
import { hlcAt } from '../../src/event/hlc.ts';
import { parseObservation, standardDefaults } from '../../src/indicator/observation.ts';
import { openStore } from '../../src/store/level-store.ts';

/** Events of one commit. */
const commitEvents = 10_000;
/** How long ago the first event was: within the log's window, and most of it long before what a newcomer fetches again. */
const spanMs = 5 * 24 * 60 * 60_000;
const defaults = { ...standardDefaults, provider: 'bench', tags: ['malware', 'phishing'] };

/** Gives a data directory `count` records, each of one event of its own node, evenly spread over the last days. */
export async function fillDirectory(directory: string, count: number): Promise<void> {
  const { path, level } = await openDataDirectory(directory);
  const identity = await loadOrCreateIdentity(path, false);
  const store = await openStore(level);
  const startMs = systemClock.wallMs() - spanMs;
  for (let first = 0; first < count; first += commitEvents) {
    const entries = Array.from({ length: Math.min(commitEvents, count - first) }, (_, i) => {
      const atMs = startMs + Math.floor((spanMs * (first + i + 1)) / count);
      const parsed = parseObservation({ indicator: nthValue(first + i), lasttime: atMs }, defaults, atMs);
      if (!parsed.ok) throw new Error(parsed.reason);
      return { hlc: hlcAt(atMs) + BigInt(i), kind: 'observe' as const, body: parsed.value };
    });
    await store.commit(sealBatches(identity, first + 1, entries));
  }
  if (store.count() !== count) throw new Error(`${store.count()} records of ${count}`);
  await store.close();
  await level.close();
}

/** URLs, names and addresses in turn, each once and in no order. */
function nthValue(i: number): string {
  // Odd, so that no two are the same (Knuth's multiplicative hash).
  const scattered = Math.imul(i, 2_654_435_761) >>> 0;
  const name = scattered.toString(36);
  if (i % 3 === 0) return `http://${name}.example.com/${name}/index.php?id=${i % 500}`;
  if (i % 3 === 1) return `${name}.example.net`;
  return [24, 16, 8, 0].map((bits) => (scattered >>> bits) & 255).join('.');
}
