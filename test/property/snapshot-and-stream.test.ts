import { systemClock } from 'tocsin/mesh';
import { expect, test } from 'vitest';
import { pick, type Random, randomInt, seededRandom } from '../../mesh/random.ts';
import { startServer } from '../../src/facade/server.ts';
import { bearer, openRooms } from '../support/rooms.ts';
import { sseEvents } from '../support/sse-reader.ts';

/*
 * Whoever reads all records page by page, with writes between the pages, and then the stream from the cursor before
 * the first page, has in the end what the store has: whatever the moment at which they begin.
 */

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const cuts = 100;
const writesCount = 250;
const withinMs = 120_000;
const pageRecords = 20;
const lastIndicator = 'the-end.example.com';

type Shown = Readonly<Record<string, unknown>> & { readonly id: string; readonly indicator: string };
type Ask = (path: string, init?: RequestInit) => Response | Promise<Response>;
type Rooms = Awaited<ReturnType<typeof openRooms>>;

test(`in one process, ${cuts} cut points (SEED=${seed})`, { timeout: withinMs }, async () => {
  await using rooms = await openRooms();
  await snapshotsAndStreams(rooms, (path, init) => rooms.app.request(path, init), seededRandom(seed));
});

test(`over HTTP, ${cuts} cut points (SEED=${seed})`, { timeout: withinMs }, async () => {
  await using rooms = await openRooms();
  const server = await startServer(rooms.app.fetch, '127.0.0.1', 0, systemClock);
  try {
    await snapshotsAndStreams(rooms, (path, init) => fetch(server.url + path, init), seededRandom(seed));
  } finally {
    await server.stop();
  }
});

async function snapshotsAndStreams(rooms: Rooms, ask: Ask, random: Random): Promise<void> {
  const progress = createProgress();
  const readers = Array.from({ length: cuts }, () => {
    const [cut, writesBetweenPages] = [randomInt(random, writesCount), randomInt(random, 5)];
    return readAll(rooms, ask, progress, cut, writesBetweenPages);
  });
  await writeAll(rooms, ask, random, progress);
  const found = await Promise.all(readers);
  const expected = new Map<string, Shown>();
  for await (const { records } of pages(ask, 10_000))
    for (const record of records) expected.set(record.id, record);
  expect(expected.size).toBeGreaterThan(60);
  for (const { cut, records } of found) expect(records, `cut at write ${cut}`).toEqual(expected);
  expect(rooms.errors).toEqual([]);
}

/** How many writes were made; what waits for a number of them is woken. */
type Progress = { readonly writes: number; made(): void; reaches(writes: number): Promise<void> };

function createProgress(): Progress {
  const waiting = new Set<{ readonly writes: number; readonly wake: () => void }>();
  let writes = 0;
  return {
    get writes() {
      return writes;
    },
    made() {
      writes++;
      for (const entry of [...waiting].filter((entry) => entry.writes <= writes)) {
        waiting.delete(entry);
        entry.wake();
      }
    },
    reaches: (wanted) =>
      new Promise((wake) => {
        if (wanted <= writes) wake();
        else waiting.add({ writes: wanted, wake });
      }),
  };
}

/** New records, updates, sightings, retractions and records whose time ends, in any order; one that is new comes last. */
async function writeAll(rooms: Rooms, ask: Ask, random: Random, progress: Progress): Promise<void> {
  const names: string[] = [];
  const providers = ['one', 'two'];
  for (let n = 0; n < writesCount; n++) {
    rooms.clock.advance(randomInt(random, 3));
    const what = random.next();
    const known = pick(random, names);
    if (n === writesCount - 1) await observe(lastIndicator);
    else if (known === undefined || what < 0.4) {
      names.push(`h${n}.example.com`);
      await observe(`h${n}.example.com`);
    } else if (what < 0.65) await observe(known);
    else if (what < 0.8) await post('/sightings', { indicator: known, count: 1 + randomInt(random, 3) });
    else if (what < 0.95) await retract(known);
    else await rooms.store.expire(rooms.clock.wallMs());
    progress.made();
  }

  function observe(indicator: string): Promise<void> {
    const expiretime = new Date(rooms.clock.wallMs() + 200).toISOString();
    return post(`/indicators?provider=${pick(random, providers)}`, {
      indicator,
      confidence: randomInt(random, 11),
      tags: pick(random, ['malware', 'phishing,new', '']),
      description: `at ${randomInt(random, 1_000)}`,
      ...(random.next() < 0.2 && { expiretime }),
    });
  }

  async function retract(indicator: string): Promise<void> {
    const response = await ask(`/indicators?q=${indicator}&related=none&nolog=1`, {
      headers: bearer('admin'),
    });
    const { data } = (await response.json()) as { data: readonly Shown[] };
    const record = pick(random, data);
    if (record === undefined) return;
    const gone = await ask(`/indicators/${record.id}?reason=wrong`, {
      method: 'DELETE',
      headers: bearer('admin'),
    });
    expect(gone.status).toBe(200);
    await gone.text();
  }

  async function post(path: string, row: unknown): Promise<void> {
    const response = await ask(path, {
      method: 'POST',
      headers: { ...bearer('admin'), 'content-type': 'application/json' },
      body: JSON.stringify(row),
    });
    const answer = await response.text();
    expect(response.status, answer).toBe(201);
  }
}

/** All records from one write on, and what the stream says after that, up to the last write. */
async function readAll(rooms: Rooms, ask: Ask, progress: Progress, cut: number, writesBetweenPages: number) {
  await progress.reaches(cut);
  const records = new Map<string, Shown>();
  const cursor = rooms.streamLog.lastCursor();
  for await (const page of pages(ask, pageRecords)) {
    for (const record of page.records) records.set(record.id, record);
    await progress.reaches(Math.min(progress.writes + writesBetweenPages, writesCount));
  }
  const stop = new AbortController();
  const response = await ask(`/stream?cursor=${cursor}`, { headers: bearer('stream'), signal: stop.signal });
  for await (const { event, data } of sseEvents(response)) {
    if (event === 'connected') continue;
    if (!['indicator', 'sighting', 'retract', 'expire'].includes(event))
      throw new Error(`${event} came: ${JSON.stringify(data)}`);
    const record = data['data'] as Shown;
    // As the record now is, whatever became of it.
    records.set(record.id, record);
    if (record.indicator === lastIndicator) break;
  }
  stop.abort();
  return { cut, records };
}

type Page = { readonly records: readonly Shown[] };

async function* pages(ask: Ask, limit: number): AsyncGenerator<Page> {
  let next: string | undefined;
  do {
    const query = new URLSearchParams({
      nofeed: '1',
      limit: String(limit),
      ...(next !== undefined && { cursor: next }),
    });
    const response = await ask(`/indicators?${query}`, { headers: bearer('read') });
    const { data, meta } = (await response.json()) as {
      data: readonly Shown[];
      meta: { readonly next?: string };
    };
    yield { records: data };
    next = meta.next;
  } while (next !== undefined);
}
