import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildCzmqPeer, czmqPeer } from '../interop/czmq-peer.ts';
import { type Lab, labsUsable, startLab } from '../support/netlab.ts';
import type { LineProcess } from '../support/process.ts';

// Hosts as network namespaces on one bridge: what crosses a real network interface.

const main = new URL('../../dist/src/main.js', import.meta.url).pathname;
const built = buildCzmqPeer();

describe.skipIf(!labsUsable() || !built)('hosts of one LAN', { timeout: 60_000 }, () => {
  let lab: Lab;
  let directory: string;
  beforeEach(async () => {
    lab = await startLab({ hosts: 3 });
    directory = await mkdtemp(join(tmpdir(), 'tocsin-netns-'));
  });
  afterEach(async () => {
    await lab[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  function startOn(host: number): Promise<LineProcess> {
    const dataDirectory = join(directory, String(host));
    const args = [
      'start',
      '--data-dir',
      dataDirectory,
      '--mesh-host',
      lab.address(host),
      '--insecure-mesh',
      '--discovery',
      'beacon',
    ];
    return lab.spawn(host, process.execPath, [main, ...args]);
  }

  async function peersOf(
    host: number,
  ): Promise<readonly { readonly endpoint: string; readonly ready: boolean }[]> {
    const args = [main, 'peers', '--json', '--data-dir', join(directory, String(host))];
    await using command = await lab.spawn(host, process.execPath, args);
    await command.ended;
    return JSON.parse(command.output('stdout').join('\n'));
  }

  test('nodes on two hosts find one another by beacon alone', async () => {
    await using one = await startOn(1);
    await one.line(/^Ready/, { deadlineMs: 20_000 });
    await using two = await startOn(2);
    await two.line(/^Ready/, { deadlineMs: 20_000 });
    for (let asked = 0; asked < 50; asked++) if ((await peersOf(1)).some(({ ready }) => ready)) break;
    expect(await peersOf(1)).toMatchObject([
      { ready: true, endpoint: expect.stringContaining(lab.address(2)) },
    ]);
    expect(await peersOf(2)).toMatchObject([
      { ready: true, endpoint: expect.stringContaining(lab.address(1)) },
    ]);
  });

  test('czmq’s zbeacon hears ours, and we dial whom it announces', async () => {
    await using ours = await startOn(1);
    await ours.line(/^Ready/, { deadlineMs: 20_000 });
    const announced = `5A524501${'22'.repeat(16)}C000`;
    await using stock = await lab.spawn(3, czmqPeer, ['beacon', '5670', announced, '100']);
    const heard = await stock.line(
      new RegExp(`^beacon ${lab.address(1).replaceAll('.', '\\.')} 5A524501`, 'i'),
    );
    expect(heard.split(' ')[2]).toHaveLength(44);
    for (let asked = 0; asked < 50; asked++) if ((await peersOf(1)).length > 0) break;
    expect(await peersOf(1)).toMatchObject([{ ready: false, endpoint: `tcp://${lab.address(3)}:49152` }]);
  });
});
