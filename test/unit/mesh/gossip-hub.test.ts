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

test('seeds are pinged at every tick, and our entry is renewed every ten seconds', () => {
  const { hub } = stepHub(withClients, { kind: 'remote-connected', name: remote.name }, at(0));
  expect(stepHub(hub, { kind: 'tick' }, at(400)).effects).toHaveLength(1);
  const answering = receive(hub, remote, { kind: 'pong' }, 9_600).hub;
  const renewed = stepHub(answering, { kind: 'tick' }, at(10_000));
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

test('a seed that answers no ping for five seconds is given up for a new connection', () => {
  const { hub } = stepHub(empty, { kind: 'remote-connected', name: remote.name }, at(0));
  const answering = receive(hub, remote, { kind: 'pong' }, 3_000).hub;
  expect(stepHub(answering, { kind: 'tick' }, at(7_000)).effects).not.toContainEqual(
    expect.objectContaining({ kind: 'redial' }),
  );
  const step = stepHub(answering, { kind: 'tick' }, at(8_001));
  expect(step.effects).toContainEqual({ kind: 'redial', name: remote.name });
  expect(step.hub.remotes.size).toBe(0);
});

test('a client that pinged and fell silent is gone; a stock client is silent by nature and stays', () => {
  const pinged = receive(withClients, client, { kind: 'ping' }, 1_000).hub;
  const { hub } = stepHub(pinged, { kind: 'tick' }, at(7_000));
  expect([...hub.clients.keys()]).toEqual([other.name]);
});

test('above the cap the client that was silent for longest makes room', () => {
  const small = (nowMs: number): HubContext => ({ ...at(nowMs), limits: { ...defaultLimits, peersMax: 2 } });
  let hub = empty;
  ['01', '02', '01', '03'].forEach((name, nowMs) => {
    const input = { kind: 'received', from: { kind: 'client', name }, message: { kind: 'hello' } } as const;
    hub = stepHub(hub, input, small(nowMs)).hub;
  });
  expect([...hub.clients.keys()].sort()).toEqual(['01', '03']);
});

test('an entry whose owner does not renew it is renewed while its owner is here, and ends once it is not', () => {
  const hearing = (nowMs: number): HubContext => ({ ...at(nowMs), isHeard: (id) => id === them });
  const { hub } = receive(withClients, client, publish(0));
  expect(sent(stepHub(hub, { kind: 'tick' }, hearing(24_000)).effects, other)).not.toContainEqual(
    publish(30_000),
  );
  const renewed = stepHub(hub, { kind: 'tick' }, hearing(26_000));
  expect(sent(renewed.effects, other)).toContainEqual(publish(30_000));
  expect(stepHub(renewed.hub, { kind: 'tick' }, at(55_999)).hub.tuples.has(them)).toBe(true);
  expect(stepHub(renewed.hub, { kind: 'tick' }, at(56_000)).hub.tuples.has(them)).toBe(false);
});

test('a seed that is one of ours is pinged every two seconds only', () => {
  const { hub } = stepHub(empty, { kind: 'remote-connected', name: remote.name }, at(0));
  const pong = { kind: 'received', from: remote, message: { kind: 'pong' }, isPatient: true } as const;
  let patient = stepHub(stepHub(hub, pong, at(0)).hub, { kind: 'tick' }, at(0)).hub;
  const pings = Array.from({ length: 10 }, (_, i) => {
    const step = stepHub(patient, { kind: 'tick' }, at((i + 1) * 400));
    patient = step.hub;
    return sent(step.effects, remote).length;
  });
  expect(pings).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
});

test('every second renewal is handed on: it goes to everyone, and a lease outlasts two', () => {
  let { hub } = receive(withClients, client, publish(30_000));
  const handedOn = [10_000, 20_000, 30_000, 40_000].map((nowMs) => {
    const step = receive(hub, client, publish(30_000), nowMs);
    hub = step.hub;
    expect(hub.tuples.get(them)?.untilMs).toBe(nowMs + 30_000);
    return sent(step.effects, other).length;
  });
  expect(handedOn).toEqual([0, 1, 0, 1]);
});
