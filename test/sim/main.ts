import { parseArgs } from 'node:util';
import { type DayHour, runDay } from './mesh-day.ts';
import { runStorm } from './mesh-storm.ts';
import { runSeed } from './world.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', short: 's' },
    seeds: { type: 'string' },
    first: { type: 'string', default: '1' },
    mesh: { type: 'boolean' },
    day: { type: 'boolean' },
    nodes: { type: 'string', default: '300' },
    hours: { type: 'string', default: '24' },
    slowness: { type: 'string', default: '40' },
    help: { type: 'boolean', short: 'h' },
  },
});

if (values.help || (values.seed === undefined && values.seeds === undefined && !values.day)) {
  console.log('npm run sim -- --seed N            replay one seed: its faults, then the verdict');
  console.log('npm run sim -- --seeds N [--first M]   run N seeds from M (1) on');
  console.log('  Each seed is run twice over: as a fleet that replicates, and as a mesh alone under storms.');
  console.log('  --mesh: the mesh alone.');
  console.log('npm run sim -- --day [--nodes 300] [--hours 24] [--slowness 40] [--seed 1]');
  console.log(
    '  A virtual day of a fleet in which one node in ten is replaced every hour. The times of liveness are those of',
  );
  console.log(
    '  the product times the slowness: 1 is what it does by itself, and a day of 300 nodes then takes many hours.',
  );
} else if (values.day) {
  const { problems } = await runDay({
    seed: Number(values.seed ?? 1),
    nodes: Number(values.nodes),
    hours: Number(values.hours),
    slowness: Number(values.slowness),
    onHour: printHour,
  });
  for (const problem of problems) console.log(problem);
  console.log(
    problems.length === 0 ? 'all views agree after every change, and nothing is left' : 'it failed',
  );
  if (problems.length > 0) process.exitCode = 1;
} else if (values.seed !== undefined) {
  const storm = await runStorm(Number(values.seed));
  for (const fault of storm.faults) console.log(`mesh ${fault}`);
  console.log(
    `mesh: ${storm.enters} entered in ${storm.changes} changes, equal views after ${Math.round(storm.convergedMs)} ms`,
  );
  report(storm.seed, storm.problems);
  if (values.mesh) process.exit();
  const verdict = await runSeed(Number(values.seed));
  for (const fault of verdict.faults) console.log(fault);
  console.log(`${verdict.events} events, ${verdict.steps} steps, trace ${verdict.trace}`);
  report(verdict.seed, verdict.problems);
  if (verdict.problems.length === 0) console.log('all nodes agree');
} else {
  const first = Number(values.first);
  const count = Number(values.seeds);
  let failed = 0;
  let slowestMs = 0;
  const counts: Record<string, number> = {};
  for (let seed = first; seed < first + count; seed++) {
    const storm = await runStorm(seed);
    const fleet = values.mesh ? undefined : await runSeed(seed);
    const problems = [...storm.problems.map((problem) => `mesh: ${problem}`), ...(fleet?.problems ?? [])];
    slowestMs = Math.max(slowestMs, storm.convergedMs);
    for (const [what, by] of Object.entries(fleet?.counts ?? {})) counts[what] = (counts[what] ?? 0) + by;
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
  console.log(`mesh: equal views at most ${Math.round(slowestMs)} ms after the last fault`);
  console.log(`${count - failed} seeds agree, ${failed} do not`);
}

function report(seed: number, problems: readonly string[]): void {
  for (const problem of problems) console.log(`seed ${seed}: ${problem}`);
  if (problems.length === 0) return;
  console.log(`replay: npm run sim -- --seed ${seed}`);
  process.exitCode = 1;
}

function printHour({ hour, replaced, convergedMs, messages, timers }: DayHour): void {
  const heapMb = Math.round(process.memoryUsage().heapUsed / 1e6);
  console.log(
    `hour ${hour}: ${replaced} replaced, equal views after ${Math.round(convergedMs / 1_000)} s, ${messages} messages, ${timers} timers, heap ${heapMb} MB`,
  );
}
