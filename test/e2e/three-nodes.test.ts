import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requirementMet } from '../support/requirement.ts';
import { eventually, type Fleet, getJson, startFleet } from './fleet.ts';

// The main job on real input: three processes without a flag, real feeds in at one, each indicator once out of another, found
// at the third.
const feeds = join(import.meta.dirname, '../../../shared/data/feeds');
const available = requirementMet(existsSync(feeds) ? undefined : `no real feeds at ${feeds}`);

const submissions = [
  {
    file: 'abuse.ch/urlhaus_2025-04-21.csv',
    flags: ['--column', 'url', '--tags', 'malware', '--provider', 'urlhaus'],
  },
  {
    file: 'phishing-database/phishing-links-2025-03.txt',
    flags: ['--tags', 'phishing', '--provider', 'phishing-database'],
  },
  {
    file: 'ipsum/ipsum.txt',
    flags: ['--column', '1', '--skip-comments', '--tags', 'scanner', '--provider', 'ipsum'],
  },
  { file: 'hashes/eset/evilnum.sha256', flags: ['--tags', 'malware', '--provider', 'eset'] },
];

/** Counted without any code of ours: lines that hold something, less a header and comments. */
function rowsOf(file: string): readonly string[] {
  const lines = readFileSync(join(feeds, file), 'utf8').split('\n');
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('id,'));
}

describe.skipIf(!available)('three nodes and four real feeds', { timeout: 300_000 }, () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet(3);
  });
  afterAll(() => fleet[Symbol.asyncDispose]());

  test('what enters at node 1 is shown once at node 2, found at node 3, and equal everywhere', async () => {
    const expected = submissions.reduce((sum, { file }) => sum + rowsOf(file).length, 0);
    await using tail = await fleet.start('tail', '--node', '2', '--json', '--count', String(expected));
    await tail
      .line(/connected|Following|following/i, { from: 'stderr', deadlineMs: 10_000 })
      .catch(() => undefined);

    let accepted = 0;
    for (const { file, flags } of submissions) {
      const printed = await fleet.run(
        'submit',
        join(feeds, file),
        '--node',
        '1',
        '--confidence',
        '8',
        '--json',
        ...flags,
      );
      const summary = JSON.parse(printed.join('\n')) as {
        accepted: number;
        created: number;
        refused: number;
      };
      expect(summary.accepted, file).toBe(rowsOf(file).length);
      accepted += summary.accepted;
    }
    expect(accepted).toBe(expected);

    const { code } = await tail.ended;
    expect(code).toBe(0);
    const ids = tail.output('stdout').map((line) => (JSON.parse(line) as { id: string }).id);
    expect(ids).toHaveLength(expected);
    expect(new Set(ids).size).toBe(expected);

    const digests = await eventually('equal digests', async () => {
      const all = await Promise.all(fleet.nodes.map((node) => getJson(node, '/mesh/digest')));
      return new Set(all.map(({ sha256 }) => sha256)).size === 1 ? all : undefined;
    });
    const { records } = digests[0] ?? {};
    expect(digests.map((digest) => digest['records'])).toEqual([records, records, records]);

    const samples = [
      'http://117.209.87.242:60905/bin.sh',
      rowsOf(submissions[1]?.file ?? '')[0] ?? '',
      rowsOf(submissions[2]?.file ?? '')[0]?.split('\t')[0] ?? '',
      rowsOf(submissions[3]?.file ?? '')[0] ?? '',
    ];
    for (const sample of samples) {
      const found = await fleet.run('search', sample, '--node', '3', '--json');
      expect(found.join('\n'), sample).toContain('"provider"');
    }

    const csv = await fleet.run('feed', '--node', '3', '--itype', 'url', '--format', 'csv');
    expect(csv[0]).toMatch(/^indicator,itype,providers/);
    expect(csv.length - 1).toBe(
      rowsOf(submissions[0]?.file ?? '').length + rowsOf(submissions[1]?.file ?? '').length,
    );
  });

  test('a node that comes later catches up from the log before it is ready', async () => {
    const late = await fleet.add();
    const [first] = fleet.nodes;
    if (first === undefined) throw new Error('no first node');
    const [there, here] = [await getJson(first, '/mesh/digest'), await getJson(late, '/mesh/digest')];
    expect(here['sha256']).toBe(there['sha256']);
  });
});
