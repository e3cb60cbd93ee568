import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** A fleet in one terminal, each line marked with its node; its data goes with it. */
const { values } = parseArgs({
  options: { nodes: { type: 'string', default: '3' }, help: { type: 'boolean', short: 'h' } },
});
const count = Number(values.nodes);
if (values.help || !Number.isInteger(count) || count < 1 || count > 64) {
  console.log(
    'npm run dev:mesh -- --nodes 3     from 1 to 64 nodes; ctrl-C stops them and removes their data',
  );
  process.exit(values.help ? 0 : 2);
}

const main = new URL('../../dist/src/main.js', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'tocsin-dev-'));
console.log(`The nodes live in ${directory}; run \`tocsin\` commands there, or with --data-dir.`);
const nodes = Array.from({ length: count }, (_, i) => {
  const n = i + 1;
  const child = spawn(
    process.execPath,
    [main, 'start', '--data-dir', join(directory, '.tocsin', String(n))],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  for (const output of [child.stdout, child.stderr]) {
    let rest = '';
    output.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) console.log(`${n} | ${line}`);
    });
  }
  return new Promise<void>((resolve) => child.on('close', () => resolve()));
});
// The terminal sends ctrl-C to the nodes as well; this process only waits for them.
process.on('SIGINT', () => {});
await Promise.all(nodes);
rmSync(directory, { recursive: true, force: true });
