import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fullMesh, type LabNode, startLabNode } from '../support/lab-node.ts';
import { type Lab, labsUsable, startLab } from '../support/netlab.ts';
import { programsUsable } from '../support/requirement.ts';

// Two hosts that reach one another by their second interface only.

describe.skipIf(!labsUsable() || !programsUsable('curl'))(
  'hosts with two interfaces',
  { timeout: 60_000 },
  () => {
    let lab: Lab;
    let directory: string;
    beforeEach(async () => {
      lab = await startLab({ hosts: 2 });
      directory = await mkdtemp(join(tmpdir(), 'tocsin-interfaces-'));
      await lab.addCable([1, 2]);
      await lab.partition([1], [2]);
    });
    afterEach(async () => {
      await lab[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    });

    function startOn(host: number, meshHost: string, way: string): Promise<LabNode> {
      return startLabNode(lab, host, join(directory, String(host)), [
        '--mesh-host',
        meshHost,
        '--discovery',
        way,
      ]);
    }

    test('beacons go out on every interface, and a peer that names an address out of reach is dialled where its beacon came from', async () => {
      const nodes = await Promise.all([startOn(1, '0.0.0.0', 'beacon'), startOn(2, '0.0.0.0', 'beacon')]);
      await fullMesh(nodes, 15_000);
      expect(await nodes[0]?.peers()).toMatchObject([
        { endpoint: expect.stringContaining('tcp://10.78.0.2:') },
      ]);
    });

    test.each(['beacon', 'mdns'])('%s runs on the interface that is chosen by its name', async (way) => {
      const nodes = await Promise.all([startOn(1, 'eth1', way), startOn(2, 'eth1', way)]);
      await fullMesh(nodes, 15_000);
      for (const [i, node] of nodes.entries()) {
        const endpoint = expect.stringContaining(`tcp://10.78.0.${2 - i}:`);
        expect(await node.peers()).toMatchObject([{ endpoint }]);
      }
    });
  },
);
