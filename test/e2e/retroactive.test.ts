import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, type Fleet, type FleetNode, getJson, startFleet } from './fleet.ts';

const value = 'blocked.test';

async function send(node: FleetNode, method: string, path: string, body?: unknown): Promise<void> {
  const response = await fetch(node.url + path, {
    method,
    headers: {
      authorization: `Bearer ${node.token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  expect(response.status, await response.text()).toBeLessThan(300);
}

async function feedOf(node: FleetNode): Promise<readonly string[]> {
  const { data } = await getJson(node, '/indicators');
  return (data as { indicator: string }[]).map(({ indicator }) => indicator);
}

async function idOf(node: FleetNode, provider: string): Promise<string> {
  const { data } = await getJson(node, `/indicators?q=${value}&provider=${provider}`);
  return String((data as { id: string }[])[0]?.id);
}

/** Resolves once the node streams to us. */
async function openStream(node: FleetNode) {
  const response = await fetch(`${node.url}/stream?kind=indicator,retract`, {
    headers: { authorization: `Bearer ${node.token}` },
  });
  const chunks = response.body?.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  let text = (await chunks?.next())?.value ?? '';
  return {
    /** Types of the first `count` events. */
    async types(count: number): Promise<readonly string[]> {
      for (;;) {
        const types = [...text.matchAll(/"type":"(tocsin\.[a-z.]+)"/g)].map(([, type]) => String(type));
        if (types.length >= count) {
          await chunks?.return?.();
          return types;
        }
        text += (await chunks?.next())?.value ?? '';
      }
    },
  };
}

describe('a change of mind at one node', { timeout: 120_000 }, () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet(2);
  });
  afterAll(() => fleet[Symbol.asyncDispose]());

  test('changes the next feed of every node, and is an event on their streams', async () => {
    const [one, two] = fleet.nodes;
    if (one === undefined || two === undefined) throw new Error('no two nodes');
    const stream = await openStream(two);
    const isIn = (node: FleetNode, wanted: boolean) =>
      eventually(`${value} ${wanted ? 'in' : 'out of'} the feed of node ${node.n}`, async () =>
        (await feedOf(node)).includes(value) === wanted ? true : undefined,
      );

    await send(one, 'POST', '/indicators', { indicator: value, confidence: 9, provider: 'sensor' });
    for (const node of fleet.nodes) await isIn(node, true);
    await send(two, 'POST', '/indicators', { indicator: value, tags: 'allowlist', provider: 'ops' });
    for (const node of fleet.nodes) await isIn(node, false);
    await send(one, 'DELETE', `/indicators/${await idOf(one, 'ops')}?reason=not%20ours`);
    for (const node of fleet.nodes) await isIn(node, true);
    await send(two, 'DELETE', `/indicators/${await idOf(two, 'sensor')}?reason=false%20positive`);
    for (const node of fleet.nodes) await isIn(node, false);

    const types = await stream.types(4);
    expect(types).toEqual([
      'tocsin.indicator.created',
      'tocsin.indicator.created',
      'tocsin.retract',
      'tocsin.retract',
    ]);
  });
});
