import { expect, test } from 'vitest';
import { beaconDiscovery } from '../../../mesh/discovery/beacon.ts';
import { peerIdFromBytes } from '../../../mesh/ids.ts';
import { startMesh } from '../../../mesh/node.ts';
import { seededRandom } from '../../../mesh/random.ts';
import { simulatedClock, simulatedNetwork } from '../../../mesh/transport/simulated.ts';

test.each(Array.from({ length: 20 }, (_, seed) => seed))(
  'peers that tell a host out of reach meet where their beacons come from (seed %i)',
  async (seed) => {
    const clock = simulatedClock(0);
    const random = seededRandom(seed);
    const network = simulatedNetwork(clock, random, {
      delayMsMin: 1,
      delayMsMax: 400,
      loss: 0,
      duplication: 0,
    });
    const meshes = await Promise.all(
      ['h0', 'h1', 'h2'].map((host) =>
        startMesh(
          {
            id: peerIdFromBytes(random.bytes(16)),
            name: host,
            headers: new Map(),
            bind: `tcp://${host}:*`,
            advertise: 'nowhere.test',
            discovery: [
              beaconDiscovery({ port: 5670, broadcastAddresses: () => ['everyone'], accepts: () => true }),
            ],
          },
          { clock, random, transport: network.transport(host), datagrams: network.datagrams(host) },
        ),
      ),
    );
    while (clock.monotonicMs() < 20_000) clock.step();
    expect(meshes[0]?.endpoint).toMatch(/^tcp:\/\/nowhere\.test:/);
    for (const mesh of meshes) expect(mesh.peers().filter(({ ready }) => ready)).toHaveLength(2);
  },
);
