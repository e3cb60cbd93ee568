import { getJson, startFleet } from '../../e2e/fleet.ts';
import { openHttpPublisher } from './http-publisher.ts';
import type { Side } from './side.ts';
import { openStreamPublisher } from './stream-publisher.ts';
import { startSubscriber } from './subscriber.ts';

/** How many other nodes are to have it before the answer. `BENCH_ACK=local` shows what the wait for them costs. */
const ackWanted = process.env['BENCH_ACK'] ?? '1';

/** Three nodes as `npm start` has them, settings by default. */
export async function startTocsin(): Promise<Side> {
  const fleet = await startFleet(3);
  return {
    pids: fleet.nodes.map(({ process: running }) => running.pid),
    async subscribe() {
      const [, second] = fleet.nodes;
      if (second === undefined) throw new Error('no second node');
      const { endpoints } = (await getJson(second, '/mesh')) as { endpoints: { stream: string } };
      return startSubscriber('zeromq', endpoints.stream);
    },
    publisher: async () => openStreamPublisher(fleet.nodes, ackWanted),
    requestPublisher: async () => openHttpPublisher(fleet.nodes, ackWanted),
    kill: async (server) => fleet.nodes[server]?.process.stop('SIGKILL'),
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  };
}
