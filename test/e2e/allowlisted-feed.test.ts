import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { bruteForceAllowlist, type PlainEntry } from '../support/brute-force-allowlist.ts';
import { corpusFiles } from '../support/corpus-files.ts';
import { requirementMet } from '../support/requirement.ts';
import { testIo } from '../unit/cli/support/io.ts';
import { type Fleet, type FleetNode, startFleet } from './fleet.ts';

const data = join(import.meta.dirname, '../../../shared/data');
const feeds = join(data, 'feeds');
const warninglists = join(data, 'allow/misp-warninglists');
const present = requirementMet(
  existsSync(warninglists) ? undefined : `there are no warninglists at ${warninglists}`,
);

/** Lines of one request. */
const linesAtOnce = 20_000;
/** Far below what the corpus gives, so that an empty feed is no success. */
const feedRowsMin = 100_000;
/** Wider networks are no business of this test: a feed takes none by default. */
const widest = { ipv4: 16, ipv6: 32 } as const;

type Value = { readonly itype: string; readonly indicator: string };
type Shown = Value & { readonly tags: readonly string[] };

describe.skipIf(!present)('the feed of the whole corpus beside the MISP warninglists', () => {
  let fleet: Fleet;
  let feed: readonly Value[] = [];
  let stated: readonly Shown[] = [];
  let entries: readonly PlainEntry[] = [];

  beforeAll(async () => {
    fleet = await startFleet(1);
    const [node] = fleet.nodes;
    if (node === undefined) throw new Error('no node');
    await submitCorpus(node);
    const io = testIo();
    const where = ['--url', node.url, '--token', node.token];
    const code = await runCli(['allowlist', 'import', warninglists, ...where], io);
    if (code !== 0) throw new Error(`exit ${code}: ${io.err()}`);
    feed = await everyRow<Value>(node, 'limit=100000');
    const records = await everyRow<Shown & PlainEntry>(node, 'nofeed=1&limit=10000');
    entries = records.filter(isEntry);
    stated = records.filter((record) => !isEntry(record));
    console.log(
      `${feed.length} rows in the feed of ${stated.length} records, ${entries.length} allowlist entries`,
    );
  }, 300_000);
  afterAll(() => fleet[Symbol.asyncDispose]());

  test('every list that can be entries has become some', () => {
    const providers = new Set(entries.map(({ provider }) => provider));
    for (const file of readdirSync(warninglists)) {
      const { list, type } = JSON.parse(readFileSync(join(warninglists, file), 'utf8')) as List;
      // Patterns are no values; and what the public suffix list holds is built in.
      if (type === 'regex' || type === 'substring' || list.every((value) => !value.slice(1).includes('.')))
        continue;
      expect(
        [...providers].some((provider) => provider.includes(file.replace(/\.json$/, ''))),
        file,
      ).toBe(true);
    }
  });

  test('nothing in it is allow-listed, or lies in, around or below what is: by a checker of our own', () => {
    expect(feed.length).toBeGreaterThan(feedRowsMin);
    const forbidding = bruteForceAllowlist(entries);
    const wrong = feed.flatMap(({ itype, indicator }) => {
      const [entry] = forbidding(itype, indicator);
      return entry === undefined ? [] : [`${indicator}: ${entry.indicator} of ${entry.provider}`];
    });
    expect(wrong).toEqual([]);
  }, 120_000);

  test('and nothing is left out of it that is not', () => {
    const forbidding = bruteForceAllowlist(entries);
    const shown = new Set(feed.map(({ itype, indicator }) => `${itype} ${indicator}`));
    const missing = stated.filter(
      ({ itype, indicator }) => !shown.has(`${itype} ${indicator}`) && !isWide(indicator),
    );
    expect(missing.length).toBeGreaterThan(0);
    const wrong = missing.filter(({ itype, indicator }) => forbidding(itype, indicator).length === 0);
    expect(wrong.map(({ indicator }) => indicator)).toEqual([]);
  }, 120_000);
});

/** Of a warninglist, as far as it matters here. */
type List = { readonly type: string; readonly list: readonly string[] };

function isEntry({ tags }: Shown): boolean {
  return tags.includes('allowlist') || tags.includes('allowlist-context');
}

function isWide(indicator: string): boolean {
  const prefix = indicator.split('/')[1];
  return prefix !== undefined && Number(prefix) < (indicator.includes(':') ? widest.ipv6 : widest.ipv4);
}

/** Everything that the corpus holds, as seen now and sure: only the allowlist keeps something out of the feed. */
async function submitCorpus(node: FleetNode): Promise<void> {
  const texts = { plain: new Set<string>(), asns: new Set<string>() };
  for (const { file, flags, areAsns, indicators } of corpusFiles) {
    if (flags.includes('allowlist')) continue;
    for (const text of indicators(readFileSync(join(feeds, file), 'utf8')))
      texts[areAsns ? 'asns' : 'plain'].add(text);
  }
  await post(node, [...texts.asns], 'itype=asn&');
  const plain = [...texts.plain];
  for (let i = 0; i < plain.length; i += linesAtOnce) await post(node, plain.slice(i, i + linesAtOnce), '');
}

async function post(node: FleetNode, lines: readonly string[], parameters: string): Promise<void> {
  const response = await fetch(
    `${node.url}/indicators?${parameters}confidence=10&provider=corpus&ack=local`,
    {
      method: 'POST',
      headers: { authorization: `Bearer ${node.token}`, 'content-type': 'text/plain' },
      body: lines.join('\n'),
    },
  );
  if (response.status !== 201) throw new Error(`POST answers ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

/** All pages of `GET /indicators`. */
async function everyRow<T>(node: FleetNode, parameters: string): Promise<readonly T[]> {
  const rows: T[] = [];
  const headers = { authorization: `Bearer ${node.token}`, accept: 'application/x-ndjson' };
  let cursor = '';
  do {
    const response = await fetch(`${node.url}/indicators?${parameters}${cursor}`, { headers });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`GET answers ${response.status}: ${text}`);
    for (const line of text.split('\n')) if (line !== '') rows.push(JSON.parse(line) as T);
    const next = response.headers.get('tocsin-next');
    cursor = next === null ? '' : `&cursor=${encodeURIComponent(next)}`;
  } while (cursor !== '');
  return rows;
}
