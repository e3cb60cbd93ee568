import { expect, test } from 'vitest';
import { peerIdFromBytes, peerIdToBytes } from '../../../mesh/ids.ts';
import { startMesh } from '../../../mesh/node.ts';
import { seededRandom } from '../../../mesh/random.ts';
import { simulatedClock, simulatedNetwork } from '../../../mesh/transport/simulated.ts';
import { encodeZre } from '../../../mesh/wire/zre.ts';

const id = peerIdFromBytes(new Uint8Array(16).fill(7));
const uuid = peerIdToBytes(id);

test.each([
  ['of a UUID alone', [...uuid]],
  ['that begins with another byte', [7, ...uuid]],
  ['of one byte more', [1, ...uuid, 0]],
  ['that libzmq makes', [0, 1, 2, 3, 4]],
])('a routing id %s is no node’s: it is counted, and nobody enters', async (_, routingId) => {
  const clock = simulatedClock(0);
  const random = seededRandom(1);
  const network = simulatedNetwork(clock, random, { delayMsMin: 1, delayMsMax: 1, loss: 0, duplication: 0 });
  const transport = network.transport('a');
  const datagrams = network.datagrams('a');
  const mesh = await startMesh(
    { name: 'a', bind: 'tcp://a:1', discovery: [] },
    { clock, random, transport, datagrams },
  );
  const greet = (from: readonly number[]): void => {
    const link = network.transport('b').dial(mesh.endpoint, {
      routingId: Uint8Array.from(from),
      queueMessagesMax: 10,
      queueBytesMax: 10_000,
    });
    const hello = {
      kind: 'hello',
      sequence: 1,
      endpoint: 'tcp://b:1',
      groups: [],
      status: 0,
      name: 'b',
    } as const;
    link.send(encodeZre({ ...hello, headers: new Map() }));
    const untilMs = clock.monotonicMs() + 100;
    while ((clock.nextMs() ?? Number.POSITIVE_INFINITY) <= untilMs) clock.step();
  };
  greet(routingId);
  expect(mesh.peers()).toEqual([]);
  expect(mesh.counters().get('bad-identity')).toBe(1);
  greet([1, ...uuid]);
  expect(mesh.peers()).toMatchObject([{ id, name: 'b', ready: true }]);
});
