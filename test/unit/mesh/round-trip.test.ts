import { expect, test } from 'vitest';
import { beaconDiscovery } from '../../../mesh/discovery/beacon.ts';
import type { Mesh } from '../../../mesh/mesh.ts';
import { startMesh } from '../../../mesh/node.ts';
import { seededRandom } from '../../../mesh/random.ts';
import { simulatedClock, simulatedNetwork } from '../../../mesh/transport/simulated.ts';

test('the round trip of a peer that talks all the time is measured too, every 15 s', async () => {
  const clock = simulatedClock(0);
  const random = seededRandom(1);
  const network = simulatedNetwork(clock, random, {
    delayMsMin: 10,
    delayMsMax: 10,
    loss: 0,
    duplication: 0,
  });
  const beacon = beaconDiscovery({ port: 1, broadcastAddresses: () => ['all'], accepts: () => true });
  const start = (host: string): Promise<Mesh> =>
    startMesh(
      { name: host, bind: `tcp://${host}:1`, discovery: [beacon] },
      { clock, random, transport: network.transport(host), datagrams: network.datagrams(host) },
    );
  const [a, b] = [await start('a'), await start('b')];
  function talkFor(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      a.whisper(b.id, 'still here');
      b.whisper(a.id, 'me too');
      const untilMs = clock.monotonicMs() + 1_000;
      while ((clock.nextMs() ?? Number.POSITIVE_INFINITY) <= untilMs) clock.step();
    }
  }
  talkFor(10);
  expect(a.peers()[0]?.roundTripMs).toBeUndefined();
  talkFor(10);
  expect(a.peers()[0]?.roundTripMs).toBeCloseTo(20);
  expect(b.peers()[0]?.roundTripMs).toBeCloseTo(20);
  network.faults = { ...network.faults, delayMsMin: 30, delayMsMax: 30 };
  talkFor(20);
  expect(a.peers()[0]?.roundTripMs).toBeCloseTo(60);
});
