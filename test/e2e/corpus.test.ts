import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/program.ts';
import { type CorpusFile, corpusFiles, notTaken, volexity } from '../support/corpus-files.ts';
import { judge } from '../support/plain-judge.ts';
import { requirementMet } from '../support/requirement.ts';
import { testIo } from '../unit/cli/support/io.ts';
import { type Fleet, startFleet } from './fleet.ts';

const feeds = join(import.meta.dirname, '../../../shared/data/feeds');
const present = requirementMet(existsSync(feeds) ? undefined : `there are no feeds at ${feeds}`);

type Counts = {
  readonly rows: number;
  readonly created: number;
  readonly updated: number;
  /** By code. */
  readonly refused: Readonly<Record<string, number>>;
};

const all = present
  ? readdirSync(feeds, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(feeds.length + 1))
  : [];
const files: readonly CorpusFile[] = [
  ...corpusFiles,
  ...all.filter((file) => file.startsWith('volexity/')).map(volexity),
];

describe.skipIf(!present)('every feed of the corpus goes through `tocsin submit` to a node', () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet(1);
  });
  const lines: string[] = [];
  afterAll(async () => {
    console.log(lines.join('\n'));
    await fleet[Symbol.asyncDispose]();
  });

  test('no file is left out without a reason', () => {
    const taken = new Set(files.map(({ file }) => file));
    expect(
      all.filter((file) => !taken.has(file) && !notTaken.some(([pattern]) => pattern.test(file))),
    ).toEqual([]);
    expect([...taken].filter((file) => !all.includes(file))).toEqual([]);
  });

  test.each(
    files.map(
      (file) => [`${file.file}${file.column === undefined ? '' : `, ${file.column}`}`, file] as const,
    ),
  )(
    '%s: created, updated and refused by reason are what a count of our own says',
    async (name, file) => {
      const text = readFileSync(join(feeds, file.file), 'utf8');
      const counts = await submit(file);
      lines.push(`${name}: ${JSON.stringify(counts)}`);
      expect(counts).toEqual(expectedOf(file, text));
    },
    60_000,
  );

  async function submit(of: CorpusFile): Promise<Counts> {
    const { file, flags } = of;
    const [node] = fleet.nodes;
    if (node === undefined) throw new Error('no node');
    const io = testIo();
    const where = ['--url', node.url, '--token', node.token];
    const provider = `corpus:${files.indexOf(of)}`;
    const code = await runCli(
      ['submit', join(feeds, file), ...flags, '--provider', provider, '--batch', '5000', '--json', ...where],
      io,
    );
    if (io.out() === '') throw new Error(`exit ${code}: ${io.err()}`);
    const summary = JSON.parse(io.out()) as Counts & {
      readonly refusals: readonly { code: string; count: number }[];
    };
    const { rows, created, updated, refusals } = summary;
    return {
      rows,
      created,
      updated,
      refused: Object.fromEntries(refusals.map(({ code: why, count }) => [why, count])),
    };
  }
});

function expectedOf({ indicators, areAsns, otherwise }: CorpusFile, text: string): Counts {
  const values = new Set<string>();
  const refused: Record<string, number> = {};
  let accepted = 0;
  const rows = indicators(text);
  const others = otherwise?.(text) ?? [];
  for (const [i, indicator] of rows.entries()) {
    const verdict = indicator === '' ? { refused: 'no-indicator' } : judge(indicator, areAsns);
    const why = 'refused' in verdict ? verdict.refused : others[i];
    if (why !== undefined) refused[why] = (refused[why] ?? 0) + 1;
    else if ('value' in verdict) {
      values.add(verdict.value);
      accepted++;
    }
  }
  return { rows: rows.length, created: values.size, updated: accepted - values.size, refused };
}
