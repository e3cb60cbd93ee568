import { parseArgs } from 'node:util';
import { runSeed } from './world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', short: 's' },
    seeds: { type: 'string' },
    first: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help || (values.seed === undefined && values.seeds === undefined)) {
  console.log('npm run sim -- --seed N            replay one seed: its faults, then the verdict');
  console.log('npm run sim -- --seeds N [--first M]   run N seeds from M (1) on');
} else if (values.seed !== undefined) {
  const verdict = await runSeed(Number(values.seed));
  for (const fault of verdict.faults) console.log(fault);
  console.log(`${verdict.events} events, ${verdict.steps} steps, trace ${verdict.trace}`);
  report(verdict.seed, verdict.problems);
  if (verdict.problems.length === 0) console.log('all nodes agree');
} else {
  const first = Number(values.first);
  const count = Number(values.seeds);
  let failed = 0;
  const counts: Record<string, number> = {};
  for (let seed = first; seed < first + count; seed++) {
    const { problems, counts: more } = await runSeed(seed);
    for (const [what, by] of Object.entries(more)) counts[what] = (counts[what] ?? 0) + by;
    if (problems.length > 0) failed++;
    report(seed, problems);
    if ((seed - first + 1) % 100 === 0)
      console.log(`${seed - first + 1} of ${count} seeds, ${failed} failed`);
  }
  console.log(
    Object.entries(counts)
      .map(([what, by]) => `${what} ${by}`)
      .join(', '),
  );
  console.log(`${count - failed} seeds agree, ${failed} do not`);
}

function report(seed: number, problems: readonly string[]): void {
  for (const problem of problems) console.log(`seed ${seed}: ${problem}`);
  if (problems.length === 0) return;
  console.log(`replay: npm run sim -- --seed ${seed}`);
  process.exitCode = 1;
}
