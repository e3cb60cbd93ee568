import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fullMesh, startLabNode } from '../support/lab-node.ts';
import { labsUsable, startLab } from '../support/netlab.ts';
import { programsUsable } from '../support/requirement.ts';

const hosts = [1, 2, 3, 4, 5];
/** A peer that is not heard expires after 30 s. */
const heldMs = 35_000;

test.skipIf(!labsUsable() || !programsUsable('curl'))(
  'losing 20 % of all frames costs none of five hosts a peer, neither when they meet nor later',
  { timeout: 120_000 },
  async () => {
    await using lab = await startLab({ hosts: hosts.length });
    const directory = await mkdtemp(join(tmpdir(), 'tocsin-loss-'));
    await lab.lose(20);
    const seeds = ['--seeds', `tcp://${lab.address(1)}:5671`];
    const nodes = await Promise.all(
      hosts.map((host) =>
        startLabNode(lab, host, join(directory, String(host)), [
          ...['--mesh-host', lab.address(host), '--discovery', 'gossip'],
          ...(host === 1 ? ['--gossip-port', '5671'] : seeds),
        ]),
      ),
    );
    await fullMesh(nodes, 40_000);
    const watches = await Promise.all(nodes.map(({ watch }) => watch()));
    const untilMs = performance.now() + heldMs;
    // Who misses a message starts over, which takes a moment.
    while (performance.now() < untilMs) await fullMesh(nodes, 10_000);
    const exits = watches
      .flatMap((watch) => watch.output('stdout'))
      .filter((line) => line.includes('exited'));
    expect(exits.filter((line) => line.includes('expired'))).toEqual([]);
    await rm(directory, { recursive: true, force: true });
  },
);
