import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fullMesh, type LabNode, startLabNode } from '../support/lab-node.ts';
import { type Lab, labsUsable, startLab } from '../support/netlab.ts';
import type { LineProcess } from '../support/process.ts';
import { programsUsable } from '../support/requirement.ts';

// Each way of discovery alone makes a full mesh of five hosts.

const hosts = [1, 2, 3, 4, 5];
const gossipPort = 5671;

describe.skipIf(!labsUsable() || !programsUsable('dnsmasq', 'curl'))(
  'five hosts of one LAN',
  { timeout: 60_000 },
  () => {
    let lab: Lab;
    let directory: string;
    beforeEach(async () => {
      lab = await startLab({ hosts: hosts.length });
      directory = await mkdtemp(join(tmpdir(), 'tocsin-discovery-'));
    });
    afterEach(async () => {
      await lab[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    });

    function startOn(host: number, ...flags: readonly string[]): Promise<LabNode> {
      return startLabNode(lab, host, join(directory, String(host)), [
        ...['--mesh-host', lab.address(host)],
        ...flags,
      ]);
    }

    async function expectFoundBy(nodes: readonly LabNode[], source: string): Promise<void> {
      await fullMesh(nodes, 20_000);
      const found = await Promise.all(nodes.map(({ peers }) => peers()));
      // Whoever was found by the other side may not have found it itself yet.
      expect(new Set(found.flat().flatMap(({ found_by }) => found_by))).toEqual(new Set([source]));
    }

    test('beacons alone make a full mesh', async () => {
      const nodes = await Promise.all(hosts.map((host) => startOn(host, '--discovery', 'beacon')));
      await expectFoundBy(nodes, 'beacon');
    });

    test('multicast DNS alone makes a full mesh', async () => {
      const nodes = await Promise.all(hosts.map((host) => startOn(host, '--discovery', 'mdns')));
      await expectFoundBy(nodes, 'mdns');
    });

    test('gossip with one seed alone makes a full mesh; all may have the seed, also the seed itself', async () => {
      const flags = ['--discovery', 'gossip', '--seeds', `tcp://${lab.address(1)}:${gossipPort}`];
      const nodes = await Promise.all(
        hosts.map((host) =>
          startOn(host, ...flags, ...(host === 1 ? ['--gossip-port', String(gossipPort)] : [])),
        ),
      );
      await expectFoundBy(nodes, 'gossip');
    });

    test('DNS alone makes a full mesh: by addresses that include one’s own and a dead one, and by SRV', async () => {
      const all = [...hosts, 200];
      const records = [
        ...all.map((host) => `host-record=mesh.test,${lab.address(host)}`),
        ...hosts.map((host) => `host-record=h${host}.test,${lab.address(host)}`),
        ...hosts.map((host) => `srv-host=_gossip._tcp.mesh.test,h${host}.test,${gossipPort}`),
      ];
      await using _server = await startDnsmasq(1, records);
      const flags = ['--mesh-host', '0.0.0.0', '--discovery', 'dns', '--gossip-port', String(gossipPort)];
      const nodes = await Promise.all(
        hosts.map((host) => {
          const seed = host % 2 === 0 ? 'dns://_gossip._tcp.mesh.test' : `dns://mesh.test:${gossipPort}`;
          return startOn(host, ...flags, '--seeds', seed);
        }),
      );
      await expectFoundBy(nodes, 'gossip');
      // Bound to every interface, they told one another of an address that can be dialled.
      const endpoints = (await nodes[0]?.peers())?.map(({ endpoint }) =>
        endpoint.slice(0, endpoint.lastIndexOf(':')),
      );
      expect(endpoints?.sort()).toEqual(hosts.slice(1).map((host) => `tcp://${lab.address(host)}`));
    });

    /** `ip netns exec` gives hosts the files of /etc/netns/<name> in place of those of /etc. */
    async function startDnsmasq(host: number, records: readonly string[]): Promise<LineProcess> {
      const config = join(directory, 'dnsmasq.conf');
      const lines = [
        'no-resolv',
        'no-hosts',
        'local=/test/',
        `listen-address=${lab.address(host)}`,
        'bind-interfaces',
      ];
      await writeFile(config, `${[...lines, ...records].join('\n')}\n`);
      await lab.setNameServer(lab.address(host));
      const args = ['--keep-in-foreground', '--log-facility=-', `--conf-file=${config}`, '--pid-file='];
      const server = await lab.spawn(host, 'dnsmasq', args);
      await server.line(/started/);
      return server;
    }
  },
);
