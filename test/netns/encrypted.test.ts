import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Lab, labsUsable, startLab } from '../support/netlab.ts';
import type { LineProcess } from '../support/process.ts';

// What somebody on the wire between two nodes reads.
const main = new URL('../../dist/src/main.js', import.meta.url).pathname;
const indicator = 'a-name-that-nothing-else-has.example.com';

describe.skipIf(!labsUsable())('the wire between two nodes', { timeout: 90_000 }, () => {
  let lab: Lab;
  let directory: string;
  beforeEach(async () => {
    lab = await startLab({ hosts: 2 });
    directory = await mkdtemp(join(tmpdir(), 'tocsin-wire-'));
  });
  afterEach(async () => {
    await lab[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  async function startOn(host: number, env: Record<string, string>): Promise<LineProcess> {
    const node = await lab.spawn(host, process.execPath, [main, 'start'], {
      env: {
        TOCSIN_DATA_DIR: join(directory, String(host)),
        TOCSIN_MESH_HOST: lab.address(host),
        TOCSIN_DISCOVERY: 'beacon,gossip',
        // Gossip, too, has to be encrypted.
        ...(host === 1 ? { TOCSIN_GOSSIP_PORT: '5671' } : { TOCSIN_SEEDS: `tcp://${lab.address(1)}:5671` }),
        ...env,
      },
    });
    await node.line(/^Ready/, { deadlineMs: 30_000 });
    return node;
  }

  /** What tcpdump sees of TCP while an indicator goes from one node to the other. */
  async function captured(env: Record<string, string>): Promise<Buffer> {
    const file = join(directory, 'wire.pcap');
    const capture = await lab.spawn(1, 'tcpdump', ['-i', 'eth0', '-U', '-s', '0', '-w', file, 'tcp']);
    await capture.line(/listening on eth0/, { from: 'stderr' });
    await using one = await startOn(1, env);
    await using two = await startOn(2, env);
    const submit = await lab.spawn(1, process.execPath, [
      main,
      'submit',
      '-',
      '--ack',
      '1',
      '--data-dir',
      join(directory, '1'),
    ]);
    submit.write(indicator);
    submit.endInput();
    expect(await submit.ended).toMatchObject({ code: 0 });
    const search = await lab.spawn(2, process.execPath, [
      main,
      'search',
      indicator,
      '--json',
      '--data-dir',
      join(directory, '2'),
    ]);
    await search.ended;
    expect(search.output('stdout').join('\n')).toContain(indicator);
    await two.stop();
    await one.stop();
    await capture.stop('SIGINT');
    return readFile(file);
  }

  test('with a key it shows neither the indicator nor a name of the protocol', async () => {
    const wire = await captured({ TOCSIN_MESH_KEY: randomBytes(32).toString('base64url') });
    expect(wire.includes('CURVE')).toBe(true);
    for (const text of [indicator, 'example.com', 'X-TOCSIN', 'tocsin/1'])
      expect(wire.includes(text)).toBe(false);
  });

  test('in clear it shows all of it, so the test above does look', async () => {
    const wire = await captured({ TOCSIN_INSECURE_MESH: 'true' });
    for (const text of [indicator, 'X-TOCSIN', 'tocsin/1']) expect(wire.includes(text)).toBe(true);
  });
});
