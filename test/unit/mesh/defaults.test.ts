import { expect, test } from 'vitest';
import { textOf } from '../../../mesh/content.ts';
import { isPeerId } from '../../../mesh/ids.ts';
import { startMesh } from '../../../mesh/node.ts';
import { idOfPublicKey } from '../../../mesh/security/identity.ts';
import { identityOfSeed } from '../../../mesh/security/seeded-identity.ts';

test('a name is enough: two nodes on one machine meet, and text arrives as text', async () => {
  await using a = await startMesh({ name: 'a', headers: { 'X-ROLE': 'hub' } });
  await using b = await startMesh({ name: 'b' });
  expect(isPeerId(a.id)).toBe(true);
  expect(a.name).toBe('a');
  expect(a.endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
  expect([...a.discoveryEndpoints.keys()]).toEqual(['gossip']);
  // A name of this test, since other tests may use the same port of beacons.
  const group = `defaults-${a.id}`;
  a.join(group);
  b.join(group);
  const signal = AbortSignal.timeout(10_000);
  await Promise.all([a.waitForPeers({ group, signal }), b.waitForPeers({ group, signal })]);
  expect(b.peer(a.id)?.headers.get('X-ROLE')).toBe('hub');
  expect(b.peer(b.id)).toBeUndefined();
  const events = b.events({ signal });
  expect(a.shout(group, 'grüezi')).toBe(1);
  for await (const event of events) {
    if (event.kind !== 'shout') continue;
    expect(textOf(event.content)).toBe('grüezi');
    break;
  }
});

test('a bind that is no endpoint is refused with one that is', async () => {
  for (const bind of ['127.0.0.1', 'tcp://127.0.0.1', 'udp://127.0.0.1:1', 'tcp://:1']) {
    await expect(startMesh({ name: 'a', bind })).rejects.toMatchObject({
      code: 'BAD_ENDPOINT',
      message: `bind is "${bind}": write tcp://address:port, with * in place of the port for any free one`,
    });
  }
});

test('what a program without types hands in is refused with a sentence, and costs nothing', async () => {
  const mistaken = startMesh as (settings: unknown) => ReturnType<typeof startMesh>;
  await expect(mistaken({})).rejects.toMatchObject({ code: 'BAD_NAME' });
  await expect(mistaken({ name: 'a', headers: { '': 'x' } })).rejects.toMatchObject({ code: 'BAD_HEADER' });
  await expect(startMesh({ name: 'n'.repeat(256) })).rejects.toMatchObject({ code: 'BAD_NAME' });
  expect(() => identityOfSeed(new Uint8Array(31))).toThrow('a seed has 32 bytes, not 31');
  await using mesh = await startMesh({ name: 'a', discovery: [] });
  const shout = mesh.shout as (group: string, content: unknown) => number;
  for (const [content, code] of [
    [42, 'NO_CONTENT'],
    [undefined, 'NO_CONTENT'],
    [[], 'NO_CONTENT'],
    [['text in a frame'], 'TOO_LARGE'],
    [Buffer.alloc(1024 * 1024 + 1), 'TOO_LARGE'],
  ]) {
    expect(() => shout('g', content)).toThrow(expect.objectContaining({ code }));
  }
  expect(() => mesh.join('g'.repeat(256))).toThrow(expect.objectContaining({ code: 'BAD_GROUP' }));
});

test('who keeps the seed keeps the id', () => {
  const [one, again] = [1, 1].map((n) => idOfPublicKey(identityOfSeed(new Uint8Array(32).fill(n)).publicKey));
  expect(one).toBe(again);
});
