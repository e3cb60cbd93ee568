import { expect, test } from 'vitest';
import type { MeshEvent } from '../../../mesh/events.ts';
import type { PeerId } from '../../../mesh/ids.ts';
import {
  forgivePause,
  greetNewcomer,
  type Peer,
  type PeerContext,
  type PeerEffect,
  type PeerInput,
  type PeerStep,
  stepPeer,
} from '../../../mesh/peer/peer.ts';
import { defaultTiming } from '../../../mesh/peer/timing.ts';
import type { Hello, ZreMessage } from '../../../mesh/wire/message.ts';

const us = 'AA'.repeat(16) as PeerId;
const them = 'BB'.repeat(16) as PeerId;
const theirEndpoint = 'tcp://192.0.2.2:2000';
const theirAddress = { endpoint: theirEndpoint, publicKey: undefined };

function at(nowMs: number): PeerContext {
  return {
    self: {
      id: us,
      introductions: [
        { endpoint: 'tcp://192.0.2.1:1000', publicKey: undefined, headers: new Map([['X-ROLE', 'hub']]) },
      ],
      name: 'us',
      membership: { groups: new Set(['CHAT']), status: 7 },
    },
    timing: defaultTiming,
    groupsMax: 10,
    nowMs,
  };
}

function hello(fields: Partial<Hello> = {}): Hello {
  return {
    kind: 'hello',
    sequence: 1,
    endpoint: theirEndpoint,
    groups: ['CHAT'],
    status: 1,
    name: 'them',
    headers: new Map(),
    ...fields,
  };
}

function alive(step: PeerStep): Peer {
  if (step.peer === undefined) throw new Error('the peer is gone');
  return step.peer;
}

function received(peer: Peer, message: ZreMessage, nowMs = 0): PeerStep {
  return stepPeer(peer, { kind: 'received', message }, at(nowMs));
}

function kinds(effects: readonly PeerEffect[]): readonly string[] {
  return effects.map((effect) => {
    if (effect.kind === 'send') return `send ${effect.message.kind} ${effect.message.sequence}`;
    return effect.kind === 'tell' ? `tell ${effect.event.kind}` : effect.kind;
  });
}

function told(effects: readonly PeerEffect[]): readonly MeshEvent[] {
  return effects.flatMap((effect) => (effect.kind === 'tell' ? [effect.event] : []));
}

const greeted = alive(greetNewcomer(them, theirAddress, at(0)));
const ready = alive(received(greeted, hello()));

test('a newcomer is dialled and greeted with our groups and status', () => {
  const { effects } = greetNewcomer(them, theirAddress, at(0));
  expect(kinds(effects)).toEqual(['dial', 'send hello 1']);
  expect(effects[1]).toMatchObject({
    message: { groups: ['CHAT'], status: 7, endpoint: 'tcp://192.0.2.1:1000' },
  });
});

test('its HELLO makes it ready: it enters, then joins each of its groups, and no HELLO goes back', () => {
  expect(kinds(received(greeted, hello()).effects)).toEqual(['tell peer-entered', 'tell peer-joined']);
});

test('whatever it says before its HELLO is dropped', () => {
  expect(received(greeted, { kind: 'ping', sequence: 2 })).toEqual({ peer: greeted, effects: [] });
});

test('the first HELLO of a ready peer after ours is an answer; the next one is a new start and is greeted once', () => {
  const again = received(ready, hello());
  expect(kinds(again.effects)).toEqual([
    'tell peer-exited',
    'dial',
    'send hello 1',
    'tell peer-entered',
    'tell peer-joined',
  ]);
  // The answer to our new HELLO: it must not be greeted again, or both would go on for ever.
  const answer = received(alive(again), hello());
  expect(kinds(answer.effects)).toEqual(['tell peer-exited', 'tell peer-entered', 'tell peer-joined']);
});

test('a HELLO from another port is a restart: we dial the new endpoint', () => {
  const moved = received(ready, hello({ endpoint: 'tcp://192.0.2.2:2001' }));
  const address = { endpoint: 'tcp://192.0.2.2:2001', publicKey: undefined };
  expect(moved.effects).toContainEqual({ kind: 'dial', address });
});

test('a HELLO that names another host with the same port keeps the address that we found', () => {
  expect(alive(received(greeted, hello({ endpoint: 'tcp://laptop.test:2000' }))).endpoint).toBe(
    theirEndpoint,
  );
});

test.each<[string, ZreMessage]>([
  ['a lost message', { kind: 'ping', sequence: 3 }],
  ['a message twice', { kind: 'ping', sequence: 1 }],
  ['a JOIN with a wrong status', { kind: 'join', sequence: 2, group: 'NEW', status: 9 }],
  ['a LEAVE with a wrong status', { kind: 'leave', sequence: 2, group: 'CHAT', status: 1 }],
])('%s ends the acquaintance and begins it anew', (_, message) => {
  const step = received(ready, message);
  expect(kinds(step.effects)).toEqual(['tell peer-exited', 'dial', 'send hello 1']);
  expect(told(step.effects)[0]).toMatchObject({ reason: 'gap' });
  expect(alive(step).phase).toBe('greeted');
});

test('the sequence wraps from ffff to 0000 both ways', () => {
  const old: Peer = { ...ready, receivedSequence: 0xffff, sentSequence: 0xffff };
  const step = received(old, { kind: 'ping', sequence: 0 });
  expect(kinds(step.effects)).toEqual(['send ping-ok 0']);
  expect(alive(step).receivedSequence).toBe(0);
});

test('the group status wraps from ff to 00', () => {
  const old: Peer = { ...ready, membership: { groups: new Set(), status: 0xff } };
  const step = received(old, { kind: 'join', sequence: 2, group: 'NEW', status: 0 });
  expect(told(step.effects)).toEqual([{ kind: 'peer-joined', id: them, group: 'NEW' }]);
});

test('a shout of a group that we are in is told, of another one dropped without a gap', () => {
  const content = [Buffer.from('hi')];
  const ours = received(ready, { kind: 'shout', sequence: 2, group: 'CHAT', content });
  expect(told(ours.effects)).toEqual([{ kind: 'shout', from: them, group: 'CHAT', content }]);
  const other = received(alive(ours), { kind: 'shout', sequence: 3, group: 'OTHER', content });
  expect(other.effects).toEqual([]);
  expect(alive(other).receivedSequence).toBe(3);
});

test('silence is answered with PINGs once a second, and ends in expiry', () => {
  const tick: PeerInput = { kind: 'tick' };
  expect(stepPeer(ready, tick, at(4_999)).effects).toEqual([]);
  const pinged = stepPeer(ready, tick, at(5_000));
  expect(kinds(pinged.effects)).toEqual(['send ping 2']);
  expect(stepPeer(alive(pinged), tick, at(5_999)).effects).toEqual([]);
  expect(kinds(stepPeer(alive(pinged), tick, at(6_000)).effects)).toEqual(['send ping 3']);
  const gone = stepPeer(ready, tick, at(30_000));
  expect(gone.peer).toBeUndefined();
  expect(told(gone.effects)).toEqual([{ kind: 'peer-exited', id: them, name: 'them', reason: 'expired' }]);
});

test('a peer that answers no PING is told of as silent once, and greeted through new mailboxes until it expires', () => {
  const told_: MeshEvent[] = [];
  const greetedAt: number[] = [];
  let peer: Peer | undefined = ready;
  for (let nowMs = 0; peer !== undefined; nowMs += 1_000) {
    const step: PeerStep = stepPeer(peer, { kind: 'tick' }, at(nowMs));
    if (kinds(step.effects).includes('dial')) greetedAt.push(nowMs);
    told_.push(...told(step.effects));
    peer = step.peer;
  }
  expect(greetedAt).toEqual([15_000, 18_000, 24_000]);
  expect(told_).toEqual([
    { kind: 'peer-silent', id: them, name: 'them', silentMs: 15_000 },
    { kind: 'peer-exited', id: them, name: 'them', reason: 'expired' },
  ]);
});

test('a silent peer that speaks in its place is heard again, and stays', () => {
  const silent = alive(stepPeer(ready, { kind: 'tick' }, at(15_000)));
  const heard = received(silent, { kind: 'ping', sequence: 2 }, 17_000);
  expect(told(heard.effects)).toEqual([{ kind: 'peer-heard', id: them, name: 'them', silentMs: 17_000 }]);
  expect(told(received(alive(heard), { kind: 'ping', sequence: 3 }, 17_500).effects)).toEqual([]);
  expect(alive(heard).phase).toBe('ready');
});

test('a peer that lost our messages answers the HELLO with its own, which ends the silence', () => {
  const silent = alive(stepPeer(ready, { kind: 'tick' }, at(15_000)));
  const back = received(silent, hello(), 15_100);
  expect(told(back.effects).map(({ kind }) => kind)).toEqual(['peer-exited', 'peer-entered', 'peer-joined']);
  expect(kinds(back.effects)).not.toContain('dial');
  expect(alive(back).isSilent).toBe(false);
});

test('a beacon of its own postpones the PING, and neither silence nor expiry', () => {
  const sighted = (nowMs: number, peer: Peer, byItself: boolean) =>
    alive(
      stepPeer(
        peer,
        { kind: 'sighted', address: { endpoint: theirEndpoint, publicKey: undefined }, byItself },
        at(nowMs),
      ),
    );
  const tick: PeerInput = { kind: 'tick' };
  const beaconed = sighted(5_900, ready, true);
  expect(stepPeer(beaconed, tick, at(6_000)).effects).toEqual([]);
  expect(kinds(stepPeer(beaconed, tick, at(10_000)).effects)).toEqual(['send ping 2']);
  expect(kinds(stepPeer(sighted(5_900, ready, false), tick, at(6_000)).effects)).toEqual(['send ping 2']);
  expect(kinds(stepPeer(sighted(15_000, ready, true), tick, at(15_000)).effects)).toContain('dial');
  expect(stepPeer(sighted(30_000, ready, true), tick, at(30_000)).peer).toBeUndefined();
});

test('a peer that only ever sends to us is spoken to, so that it hears that we live', () => {
  let peer = ready;
  const pings: number[] = [];
  for (let sequence = 2; sequence < 100; sequence++) {
    const nowMs = sequence * 250;
    peer = alive(received(peer, { kind: 'whisper', sequence, content: [Buffer.from('x')] }, nowMs));
    const step = stepPeer(peer, { kind: 'tick' }, at(nowMs));
    if (step.effects.length > 0) pings.push(nowMs);
    peer = alive(step);
  }
  expect(pings).toEqual([10_000, 20_000]);
});

test('a PING-OK is an answer to our HELLO: the next HELLO is a new start', () => {
  const restarted = alive(received(ready, hello()));
  expect(restarted.answered).toBe(false);
  const pinged = alive(stepPeer(restarted, { kind: 'tick' }, at(5_000)));
  const answered = alive(received(pinged, { kind: 'ping-ok', sequence: 2 }, 5_050));
  expect(kinds(received(answered, hello(), 6_000).effects)).toContain('send hello 1');
});

test('an answer that may be to an early HELLO, of other groups, is greeted once more', () => {
  const moved = (nowMs: number): PeerContext => ({
    ...at(nowMs),
    self: { ...at(nowMs).self, membership: { groups: new Set(['CHAT', 'NEW']), status: 8 } },
  });
  const twice = alive(stepPeer(greeted, { kind: 'tick' }, moved(3_000)));
  const back = stepPeer(twice, { kind: 'received', message: hello() }, moved(3_100));
  expect(kinds(back.effects)).toContain('send hello 1');
  const settled = stepPeer(alive(back), { kind: 'received', message: hello() }, moved(3_200));
  expect(kinds(settled.effects)).not.toContain('send hello 1');
});

test('stock nodes wrap the sequence at 65,535: one new start each time, and no storm', () => {
  // pyre and zyre.js send 65534, 0; we wait for 65535.
  const old: Peer = { ...ready, receivedSequence: 65_534 };
  const gap = received(old, { kind: 'ping', sequence: 0 }, 1_000);
  expect(kinds(gap.effects)).toEqual(['tell peer-exited', 'dial', 'send hello 1']);
  // Until its HELLO all else is dropped without a word.
  const ignored = received(alive(gap), { kind: 'ping', sequence: 1 }, 1_100);
  expect(ignored.effects).toEqual([]);
  const back = received(alive(ignored), hello(), 1_200);
  expect(kinds(back.effects)).toEqual(['tell peer-entered', 'tell peer-joined']);
  let peer = alive(back);
  for (let sequence = 2; sequence <= 65_534; sequence++) {
    const step = received(peer, { kind: 'ping-ok', sequence }, 1_300);
    if (step.effects.length > 0) throw new Error(`effects at ${sequence}`);
    peer = alive(step);
  }
  expect(peer.receivedSequence).toBe(65_534);
});

test('what was heard before a pause of ours was noticed is not moved ahead of now', () => {
  const heard = { ...ready, heardAtMs: 60_000 };
  expect(forgivePause(heard, 60_000, 60_100).heardAtMs).toBe(60_100);
});

test('a pause of our own process is not held against the peer', () => {
  const rested = forgivePause(ready, 60_000, 60_000);
  expect(alive(stepPeer(rested, { kind: 'tick' }, at(60_000))).phase).toBe('ready');
});

test('a HELLO that is not answered is sent again, ever more slowly, and then given up without an exit', () => {
  const greetedAt: number[] = [];
  let peer: Peer | undefined = greeted;
  for (let nowMs = 0; peer !== undefined && nowMs <= 60_000; nowMs += 250) {
    const step: PeerStep = stepPeer(peer, { kind: 'tick' }, at(nowMs));
    if (kinds(step.effects).includes('send hello 1')) greetedAt.push(nowMs);
    expect(told(step.effects)).toEqual([]);
    peer = step.peer;
  }
  expect(peer).toBeUndefined();
  expect(greetedAt).toEqual([3_000, 9_000, 17_000, 25_000]);
});

test('GOODBYE ends a peer at once', () => {
  const step = received(ready, { kind: 'goodbye', sequence: 2 });
  expect(step.peer).toBeUndefined();
  expect(told(step.effects)[0]).toMatchObject({ kind: 'peer-exited', reason: 'goodbye' });
});

test('a sighting at another endpoint moves a peer that has not answered, and never one that has', () => {
  const address = { endpoint: 'tcp://192.0.2.9:9000', publicKey: undefined };
  const input: PeerInput = { kind: 'sighted', address, byItself: false };
  expect(stepPeer(greeted, input, at(0)).effects[0]).toEqual({ kind: 'dial', address });
  expect(stepPeer(ready, input, at(0))).toEqual({ peer: ready, effects: [] });
});

test('a JOIN behind a HELLO that is still queued carries the next status', () => {
  const step = stepPeer(greeted, { kind: 'send', message: { kind: 'join', group: 'NEW', status: 8 } }, at(0));
  expect(kinds(step.effects)).toEqual(['send join 2']);
});
