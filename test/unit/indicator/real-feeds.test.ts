import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse as parseCsv } from 'csv-parse/sync';
import { describe, expect, test } from 'vitest';

import { parseObservation, standardDefaults } from '../../../src/indicator/observation.ts';

const feeds = join(import.meta.dirname, '../../../../shared/data/feeds');
const present = existsSync(feeds);
const nowMs = Date.UTC(2026, 7, 22);

if (!present) {
  if (process.env['CI'] !== undefined) throw new Error(`no feeds at ${feeds}: in CI they must be there`);
  console.log(`skipped: no feeds at ${feeds}`);
}

type Outcome = { readonly text: string; readonly indicator?: string; readonly code?: string };

function parseAll(texts: readonly string[]): readonly Outcome[] {
  return texts.map((text) => {
    const parsed = parseObservation(text, { ...standardDefaults, provider: 'feed' }, nowMs);
    return parsed.ok ? { text, indicator: parsed.value.indicator } : { text, code: parsed.code };
  });
}

function report(feed: string, outcomes: readonly Outcome[]): void {
  const codes = new Map<string, number>();
  for (const { code } of outcomes) if (code !== undefined) codes.set(code, (codes.get(code) ?? 0) + 1);
  const refused = [...codes].map(([code, count]) => `${count} ${code}`).join(', ') || 'none';
  const distinct = new Set(
    outcomes.map(({ indicator }) => indicator).filter((indicator) => indicator !== undefined),
  ).size;
  console.log(`${feed}: ${outcomes.length} rows, ${distinct} distinct, refused: ${refused}`);
}

function lines(path: string): readonly string[] {
  return readFileSync(join(feeds, path), 'utf8')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

/** Knows nothing of our canonicaliser: the URL class and plain patterns decide whether a link should have been taken. */
function isPlainUrl(text: string): boolean {
  if (/\s/.test(text) || !/^(?:https?|ftp):\/\//i.test(text) || text.length > 8_192) return false;
  try {
    return (
      new URL(text).hostname
        .replace(/\.$/, '')
        .replaceAll(/^\[|\]$/g, '')
        .split(/[.:]/).length > 1
    );
  } catch {
    return false;
  }
}

describe.skipIf(!present)('real feeds are taken whole, but for rows that a plain check refuses too', () => {
  function checkLinks(feed: string, outcomes: readonly Outcome[]): void {
    report(feed, outcomes);
    const wronglyRefused = outcomes.filter(({ text, code }) => code !== undefined && isPlainUrl(text.trim()));
    const wronglyTaken = outcomes.filter(({ text, code }) => code === undefined && !isPlainUrl(text.trim()));
    expect(wronglyRefused).toEqual([]);
    expect(wronglyTaken).toEqual([]);
  }

  test('URLhaus, column url', () => {
    const csv = readFileSync(join(feeds, 'abuse.ch/urlhaus_2025-04-21.csv'), 'utf8');
    const rows: { url: string }[] = parseCsv(csv, { columns: true, relax_quotes: true });
    const outcomes = parseAll(rows.map(({ url }) => url));
    expect(outcomes.length).toBe(11_125);
    checkLinks('urlhaus', outcomes);
  });

  test('Phishing.Database links', () => {
    const outcomes = parseAll(lines('phishing-database/phishing-links-2025-03.txt'));
    expect(outcomes.length).toBeGreaterThan(13_000);
    checkLinks('phishing-links', outcomes);
  });

  test('ipsum, first column', () => {
    const outcomes = parseAll(lines('ipsum/ipsum.txt').map((line) => line.split('\t')[0] ?? ''));
    report('ipsum', outcomes);
    expect(outcomes.length).toBeGreaterThan(1_000);
    for (const { text, indicator } of outcomes) expect(indicator).toBe(text);
  });

  test('ESET hashes', () => {
    const files = readdirSync(join(feeds, 'hashes/eset')).filter((file) =>
      /\.(?:md5|sha1|sha256)$/.test(file),
    );
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const outcomes = parseAll(lines(`hashes/eset/${file}`));
      for (const { text, indicator } of outcomes) {
        expect(indicator).toBe(
          /^(?:[\da-f]{32}|[\da-f]{40}|[\da-f]{64})$/i.test(text.trim())
            ? text.trim().toLowerCase()
            : undefined,
        );
      }
      report(file, outcomes);
    }
  });

  test('ThreatFox: an address with a port is the address, and the port its portlist', () => {
    const json = readFileSync(join(feeds, 'abuse.ch/threatfox_recent_2026-07-09.json'), 'utf8');
    const exported: Record<string, { ioc_type: string; ioc_value: string }[]> = JSON.parse(json);
    const rows = Object.values(exported).flat();
    const withPort = rows.filter(({ ioc_type }) => ioc_type === 'ip:port');
    report('threatfox', parseAll(rows.map(({ ioc_value }) => ioc_value)));
    expect(withPort.length).toBeGreaterThan(2_500);
    for (const { ioc_value } of withPort) {
      const [address, port] = ioc_value.split(':');
      const parsed = parseObservation(ioc_value, { ...standardDefaults, provider: 'feed' }, nowMs);
      expect(parsed).toMatchObject({
        ok: true,
        value: { itype: 'ipv4', indicator: address, portlist: port },
      });
    }
  });

  test('a feed that was defanged by hand', () => {
    const outcomes = parseAll(lines('csirtg/feed_defanged.txt').map((line) => line.split(',')[1] ?? ''));
    report('defanged', outcomes);
    for (const { text, indicator } of outcomes) expect(indicator).toBe(text.replaceAll(/[[\]]/g, ''));
  });
});
