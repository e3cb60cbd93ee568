import { expect, test } from 'vitest';
import {
  defaultHubTiming,
  type Hub,
  type HubContext,
  type HubEffect,
  newHub,
  type Side,
  stepHub,
} from '../../../mesh/discovery/gossip-hub.ts';
import type { PeerId } from '../../../mesh/ids.ts';
import { defaultLimits } from '../../../mesh/limits.ts';
import type { GossipMessage } from '../../../mesh/wire/gossip.ts';

const us = 'AA'.repeat(16) as PeerId;
const them = 'BB'.repeat(16) as PeerId;
const client: Side = { kind: 'client', name: '01' };
const other: Side = { kind: 'client', name: '02' };
const remote: Side = { kind: 'remote', name: 'tcp://192.0.2.9:9000' };

function at(nowMs: number): HubContext {
  return { nowMs, timing: defaultHubTiming, limits: defaultLimits, isHeard: () => false };
}

function receive(hub: Hub, from: Side, message: GossipMessage, nowMs = 0) {
  return stepHub(hub, { kind: 'received', from, message }, at(nowMs));
}

function publish(ttlMs: number, value = 'tcp://192.0.2.2:2000'): GossipMessage {
  return { kind: 'publish', key: them, value, ttlMs };
}

function sent(effects: readonly HubEffect[], to: Side): readonly GossipMessage[] {
  return effects.flatMap((effect) =>
    effect.kind === 'send' && effect.to.name === to.name ? [effect.message] : [],
  );
}

const empty = newHub(us, 'tcp://192.0.2.1:1000', at(0));
const withClients = [client, other].reduce((hub, from) => receive(hub, from, { kind: 'hello' }).hub, empty);

test('a client that says HELLO is told every entry, as often as it asks', () => {
  const own: GossipMessage = { kind: 'publish', key: us, value: 'tcp://192.0.2.1:1000', ttlMs: 30_000 };
  const first = receive(empty, client, { kind: 'hello' });
  expect(sent(first.effects, client)).toEqual([own]);
  expect(sent(receive(first.hub, client, { kind: 'hello' }).effects, client)).toEqual([own]);
});

test('an entry is a sighting, and goes to everyone but the side that it came from', () => {
  const { effects } = receive(withClients, client, publish(0));
  expect(effects[0]).toEqual({
    kind: 'sighted',
    sighting: { source: 'gossip', id: them, endpoint: 'tcp://192.0.2.2:2000', leaseMs: 30_000 },
  });
  expect(sent(effects, client)).toEqual([]);
  expect(sent(effects, other)).toEqual([publish(30_000)]);
});

test('an echo is not handed on; a renewal is, with what is left of its lease', () => {
  const { hub } = receive(withClients, client, publish(20_000));
  expect(receive(hub, other, publish(19_000), 500).effects).toEqual([]);
  expect(sent(receive(hub, client, publish(30_000), 5_000).effects, other)).toEqual([publish(30_000)]);
});

test('a dead node is forgotten when its lease ends, and hubs cannot keep it alive among themselves', () => {
  const { hub } = receive(withClients, client, publish(30_000));
  const later = stepHub(hub, { kind: 'tick' }, at(10_000)).hub;
  const [handedOn] = sent(receive(later, other, { kind: 'hello' }, 10_000).effects, other).filter(
    (message) => message.kind === 'publish' && message.key === them,
  );
  expect(handedOn).toMatchObject({ ttlMs: 20_000 });
  expect(stepHub(later, { kind: 'tick' }, at(30_000)).hub.tuples.has(them)).toBe(false);
});

test('a newer value of an entry wins by its longer lease; the older one cannot come back', () => {
  const { hub } = receive(withClients, client, publish(30_000));
  const moved = receive(hub, client, publish(30_000, 'tcp://192.0.2.2:2001'), 5_000);
  expect(moved.hub.tuples.get(them)?.value).toBe('tcp://192.0.2.2:2001');
  expect(receive(moved.hub, other, publish(24_000), 6_000).effects).toEqual([]);
});

test('nobody else speaks for us', () => {
  const forged: GossipMessage = { kind: 'publish', key: us, value: 'tcp://192.0.2.66:6666', ttlMs: 0 };
  expect(receive(withClients, client, forged, 60_000).effects).toEqual([]);
});

test('a seed is greeted and told all when it connects, and again when it answers INVALID', () => {
  const connected = stepHub(empty, { kind: 'remote-connected', name: remote.name }, at(0));
  expect(sent(connected.effects, remote).map((message) => message.kind)).toEqual(['hello', 'publish']);
  const again = receive(connected.hub, remote, { kind: 'invalid' });
  expect(sent(again.effects, remote).map((message) => message.kind)).toEqual(['hello', 'publish']);
});

test('seeds are pinged at every tick, and our entry is renewed every five seconds', () => {
  const { hub } = stepHub(withClients, { kind: 'remote-connected', name: remote.name }, at(0));
  expect(stepHub(hub, { kind: 'tick' }, at(400)).effects).toHaveLength(1);
  const renewed = stepHub(hub, { kind: 'tick' }, at(5_000));
  expect(sent(renewed.effects, remote).map((message) => message.kind)).toEqual(['ping', 'publish']);
  expect(sent(renewed.effects, client)).toHaveLength(1);
});

test('an encrypted node is sighted with its key', () => {
  const publicKey = 'x'.repeat(40);
  const { effects } = receive(withClients, client, publish(0, `tcp://192.0.2.2:2000|${publicKey}`));
  expect(effects).toContainEqual({
    kind: 'sighted',
    sighting: expect.objectContaining({ endpoint: 'tcp://192.0.2.2:2000', publicKey }),
  });
});

test('an entry whose key is none is handed on and not sighted', () => {
  const { effects } = receive(withClients, client, publish(0, `tcp://192.0.2.2:2000|${'#'.repeat(40)}`));
  expect(effects.map((effect) => effect.kind)).toEqual(['send']);
});

test('entries above the cap are ignored', () => {
  const small: HubContext = { ...at(0), limits: { ...defaultLimits, gossipTuplesMax: 1 } };
  const step = stepHub(empty, { kind: 'received', from: client, message: publish(0) }, small);
  expect(step.hub.tuples.size).toBe(1);
});
