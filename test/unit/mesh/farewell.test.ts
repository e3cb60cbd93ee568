import { expect, test } from 'vitest';
import { beaconDiscovery } from '../../../mesh/discovery/beacon.ts';
import { startMesh } from '../../../mesh/node.ts';
import { seededRandom } from '../../../mesh/random.ts';
import { simulatedClock, simulatedNetwork } from '../../../mesh/transport/simulated.ts';
import { decodeBeacon } from '../../../mesh/wire/beacon.ts';

test('a node that stops says so three times by beacon, and by message to each peer', async () => {
  const clock = simulatedClock(0);
  const random = seededRandom(1);
  const network = simulatedNetwork(clock, random, { delayMsMin: 1, delayMsMax: 1, loss: 0, duplication: 0 });
  const beacon = beaconDiscovery({ port: 1, broadcastAddresses: () => ['all'], accepts: () => true });
  const [a, b] = await Promise.all(
    ['a', 'b'].map((host) =>
      startMesh(
        { name: host, bind: `tcp://${host}:1`, discovery: [beacon] },
        { clock, random, transport: network.transport(host), datagrams: network.datagrams(host) },
      ),
    ),
  );
  if (a === undefined || b === undefined) throw new Error('two nodes were to start');
  const heard: string[] = [];
  await network.datagrams('ear').open({
    port: 1,
    onDatagram(bytes) {
      const read = decodeBeacon(bytes);
      if (read.ok && read.value.id === b.id && read.value.port === 0) heard.push('goodbye');
    },
  });
  const exits: string[] = [];
  a.subscribe((event) => {
    if (event.kind === 'peer-exited') exits.push(event.reason);
  });
  const run = (ms: number): void => {
    const untilMs = clock.monotonicMs() + ms;
    while ((clock.nextMs() ?? Number.POSITIVE_INFINITY) <= untilMs) clock.step();
  };
  run(2_000);
  const stopped = b.stop();
  await new Promise((resolve) => setImmediate(resolve));
  run(1_000);
  await stopped;
  expect(heard).toEqual(['goodbye', 'goodbye', 'goodbye']);
  expect(exits).toEqual(['goodbye']);
});
