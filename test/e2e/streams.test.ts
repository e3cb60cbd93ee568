import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { pick, seededRandom } from '../../mesh/random.ts';
import { createFleet, type FleetNode } from '../chaos/fleet.ts';
import { loopbackHosts } from '../chaos/hosts.ts';
import { createJournal } from '../chaos/journal.ts';
import { inStep } from '../chaos/rule.ts';
import { eventually } from './fleet.ts';
import { followNdjson } from './streams/follow-ndjson.ts';
import { followSse } from './streams/follow-sse.ts';
import { followWebSocket } from './streams/follow-websocket.ts';
import { followZeromq } from './streams/follow-zeromq.ts';
import { type Subscriber, startSubscriber } from './streams/subscriber.ts';
import { startWriters } from './streams/writer.ts';

const nodesCount = 5;
const kinds = { SSE: followSse, WebSocket: followWebSocket, NDJSON: followNdjson, ZeroMQ: followZeromq };
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const stepMs = 2_000;
const downMs = 1_000;
const inStepWithinMs = 60_000;

test(`nodes die under subscribers of all kinds, which go to others and miss nothing (SEED=${seed})`, {
  timeout: 240_000,
}, async () => {
  const random = seededRandom(seed);
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-streams-'));
  const lines: string[] = [];
  const journal = createJournal((line) => lines.push(line));
  const hosts = await loopbackHosts(nodesCount);
  const down = new Set<FleetNode>();
  const subscribers: Subscriber[] = [];
  {
    await using fleet = createFleet({ nodes: nodesCount, hosts, directory, env: {}, journal });
    const { nodes } = fleet;
    const isUp = (node: FleetNode) => !down.has(node);
    const nextNode = () => pick(random, nodes.filter(isUp));
    for (const node of nodes) node.start();
    expect(await inStep(nodes, inStepWithinMs, AbortSignal.timeout(inStepWithinMs)), 'all are up').toBe(true);

    for (const start of nodes) {
      for (const [kind, follow] of Object.entries(kinds)) {
        const name = `${kind} ${start.n}`;
        subscribers.push(startSubscriber({ name, follow, start, journal, isUp, nextNode }));
      }
    }
    await Promise.all(subscribers.map(({ placed }) => placed));
    const writers = startWriters(nextNode, random, journal);

    async function fail(hit: readonly FleetNode[], isWiped: boolean): Promise<void> {
      await sleep(stepMs);
      // What two nodes hold may be all there is of it.
      if (isWiped)
        expect(await inStep(nodes, inStepWithinMs, AbortSignal.timeout(inStepWithinMs))).toBe(true);
      for (const node of hit) down.add(node);
      await Promise.all(hit.map((node) => node.end('SIGKILL')));
      journal.say(`killed: ${hit.map(({ n }) => n)}${isWiped ? ', wiped' : ''}`);
      if (isWiped) for (const node of hit) await node.wipe();
      await sleep(downMs);
      for (const node of hit) node.start();
      expect(await inStep(nodes, inStepWithinMs, AbortSignal.timeout(inStepWithinMs)), 'it came back').toBe(
        true,
      );
      for (const node of hit) down.delete(node);
      journal.say('back');
    }

    await fail(nodes.slice(0, 1), false);
    await fail(nodes.slice(1, 2), true);
    await fail(nodes.slice(2, 4), false);
    await sleep(stepMs);
    await writers.stop();
    const { acknowledged } = writers;
    const missing = () =>
      subscribers.flatMap(({ name, hasSeen }) => {
        const lost = [...acknowledged].filter(([id, indicator]) => !hasSeen(id, indicator));
        return lost.length > 0 ? [`${name}: ${lost.length} such as ${lost[0]?.[0]}`] : [];
      });
    await eventually('all were seen', async () => (missing().length === 0 ? true : undefined)).catch(
      () => undefined,
    );
    for (const { name, counts } of subscribers)
      journal.say(`${name}: ${counts.events} events, ${counts.moves} moves, ${counts.resets} resets`);
    await Promise.all(subscribers.map((subscriber) => subscriber.stop()));

    const told = lines.join('\n');
    expect(missing(), told).toEqual([]);
    expect(journal.problems(), told).toEqual([]);
    expect(acknowledged.size, told).toBeGreaterThan(500);
    expect(subscribers.filter(({ counts }) => counts.moves > 0).length, told).toBeGreaterThanOrEqual(
      4 * Object.keys(kinds).length,
    );
    console.log(told);
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});
