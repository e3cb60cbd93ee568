import { expect, test } from 'vitest';
import { beaconDiscovery } from '../../../mesh/discovery/beacon.ts';
import type { DiscoveryContext, Sighting } from '../../../mesh/discovery/discovery.ts';
import { type PeerId, peerIdFromBytes } from '../../../mesh/ids.ts';
import { defaultLimits } from '../../../mesh/limits.ts';
import { seededRandom } from '../../../mesh/random.ts';
import { simulatedClock, simulatedNetwork } from '../../../mesh/transport/simulated.ts';
import { decodeBeacon, encodeBeacon } from '../../../mesh/wire/beacon.ts';

const us = 'AA'.repeat(16) as PeerId;
const them = peerIdFromBytes(Buffer.alloc(16, 0xbb));

/** A beacon on two networks, and what it sends and sees. */
async function start() {
  const clock = simulatedClock(0);
  const random = seededRandom(1);
  const network = simulatedNetwork(clock, random, { delayMsMin: 0, delayMsMax: 0, loss: 0, duplication: 0 });
  const networks = { up: ['192.0.2.255', '198.51.100.255'] };
  const sent: { readonly to: string; readonly port: number }[] = [];
  const sightings: Sighting[] = [];
  const refused: string[] = [];
  let hear: (bytes: Uint8Array) => void = () => {};
  const context: DiscoveryContext = {
    self: { id: us, addresses: [{ endpoint: 'tcp://192.0.2.1:1000', publicKey: undefined }] },
    keys: [],
    isHeard: () => false,
    onSighting: (sighting) => sightings.push(sighting),
    onRefused: (reason) => refused.push(reason),
    onStranger: () => {},
    onTurnedAway: () => {},
    clock,
    random,
    limits: defaultLimits,
    transport: network.transport('unused'),
    datagrams: {
      async open({ onDatagram }) {
        hear = (bytes) => onDatagram(bytes, '192.0.2.2');
        return {
          send(bytes, to) {
            const beacon = decodeBeacon(bytes);
            if (beacon.ok) sent.push({ to, port: beacon.value.port });
          },
          close: async () => {},
        };
      },
    },
  };
  const options = { port: 5670, broadcastAddresses: () => networks.up, accepts: () => true };
  const running = await beaconDiscovery(options).start(context);
  return { clock, networks, sent, sightings, refused, running, hear: (bytes: Uint8Array) => hear(bytes) };
}

test('each second a beacon goes to every network that is up then', async () => {
  const { clock, networks, sent, running } = await start();
  expect(sent.map(({ to }) => to)).toEqual(['192.0.2.255', '198.51.100.255']);
  networks.up = ['198.51.100.255'];
  clock.step();
  networks.up = ['192.0.2.255', '198.51.100.255'];
  clock.step();
  expect(sent.slice(2).map(({ to }) => to)).toEqual(['198.51.100.255', '192.0.2.255', '198.51.100.255']);
  expect(clock.monotonicMs()).toBe(2_000);
  await running.stop();
});

test('goodbye is said three times on every network, and leaves no timer', async () => {
  const { clock, sent, running } = await start();
  sent.length = 0;
  await running.stop();
  await running.stop();
  for (const to of ['192.0.2.255', '198.51.100.255'])
    expect(sent.filter((beacon) => beacon.to === to)).toEqual(Array(3).fill({ to, port: 0 }));
  expect(clock.pending).toBe(0);
});

test('another one is sighted where its beacon came from; its goodbye, our own echo and noise sight nobody', async () => {
  const { hear, sightings, refused, running } = await start();
  hear(encodeBeacon({ version: 1, id: them, port: 2_000 }));
  expect(sightings).toEqual([
    { source: 'beacon', id: them, endpoint: 'tcp://192.0.2.2:2000', publicKey: undefined, leaseMs: 3_500 },
  ]);
  hear(encodeBeacon({ version: 1, id: them, port: 0 }));
  hear(encodeBeacon({ version: 1, id: us, port: 1_000 }));
  hear(Buffer.from('ZRE'));
  expect(sightings).toHaveLength(1);
  expect(refused).toEqual(['beacon bad-size']);
  await running.stop();
});
