import { expect, test } from 'vitest';
import { spawnLines } from '../support/process.ts';

// A short form of `npm run chaos`, with a seed of its own each time: a failure prints how to replay it.

const main = new URL('main.ts', import.meta.url).pathname;
const minutes = 2;

test('a fleet under faults loses nothing that it acknowledged', { timeout: 10 * 60_000 }, async () => {
  const flags = ['--import', 'tsx', '--conditions=tocsin-source'];
  const options = ['--nodes', '4', '--minutes', String(minutes), '--rate', '400'];
  await using chaos = await spawnLines(process.execPath, [...flags, main, ...options]);
  const { code } = await chaos.ended;
  const printed = [...chaos.output('stdout'), ...chaos.output('stderr')];
  for (const line of printed.filter((text) => text.startsWith('skipped: '))) console.log(line);
  expect(code, printed.join('\n')).toBe(0);
});
