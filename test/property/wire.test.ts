import { isDeepStrictEqual } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { peerIdFromBytes } from '../../mesh/ids.ts';
import { defaultLimits } from '../../mesh/limits.ts';
import type { Parsed } from '../../mesh/parsed.ts';
import { pick, seededRandom } from '../../mesh/random.ts';
import type { Frames } from '../../mesh/transport/transport.ts';
import type { Beacon } from '../../mesh/wire/beacon.ts';
import { decodeBeacon, encodeBeacon } from '../../mesh/wire/beacon.ts';
import type { GossipMessage } from '../../mesh/wire/gossip.ts';
import { decodeGossip, encodeGossip } from '../../mesh/wire/gossip.ts';
import type { ZreMessage } from '../../mesh/wire/message.ts';
import { decodeZre, encodeZre } from '../../mesh/wire/zre.ts';
import { mutateFrames } from '../support/mutate.ts';
import { beaconVectors, gossipVectors, zreVectors } from '../support/wire-vectors.ts';

const limits = defaultLimits;

// 60 code points have at most 240 bytes.
const text = (minLength = 0) =>
  fc.string({ unit: 'binary', minLength, maxLength: 60 }).map((drawn) => drawn.replaceAll('\0', '0'));
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const content = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 5 });

const zreMessage: fc.Arbitrary<ZreMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('hello' as const),
    sequence: u16,
    endpoint: text(),
    groups: fc.array(text(), { maxLength: 8 }),
    status: u8,
    name: text(),
    headers: fc.array(fc.tuple(text(1), text()), { maxLength: 8 }).map((pairs) => new Map(pairs)),
  }),
  fc.record({ kind: fc.constant('whisper' as const), sequence: u16, content }),
  fc.record({ kind: fc.constant('shout' as const), sequence: u16, group: text(), content }),
  fc.record({
    kind: fc.constantFrom('join' as const, 'leave' as const),
    sequence: u16,
    group: text(),
    status: u8,
  }),
  fc.record({
    kind: fc.constantFrom('ping' as const, 'ping-ok' as const, 'goodbye' as const),
    sequence: u16,
  }),
  fc.record({ kind: fc.constant('elect' as const), sequence: u16, group: text(), challengerId: text() }),
  fc.record({ kind: fc.constant('leader' as const), sequence: u16, group: text(), leaderId: text() }),
);

const gossipMessage: fc.Arbitrary<GossipMessage> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('hello' as const, 'ping' as const, 'pong' as const, 'invalid' as const),
  }),
  fc.record({
    kind: fc.constant('publish' as const),
    key: text(),
    value: text(),
    ttlMs: fc.nat(0xffff_ffff),
  }),
);

const peerId = bytes(16).map(peerIdFromBytes);
const beacon: fc.Arbitrary<Beacon> = fc.oneof(
  fc.record({ version: fc.constant(1 as const), id: peerId, port: u16 }),
  fc.record({ version: fc.constant(3 as const), id: peerId, port: u16, publicKey: bytes(32) }),
);

/** One codec as frames to value and back, so that all three face the same tests. */
type Codec<Value> = {
  readonly encode: (value: Value) => Uint8Array[];
  readonly decode: (frames: Frames) => Parsed<Value>;
};

const zre: Codec<ZreMessage> = { encode: encodeZre, decode: (frames) => decodeZre(frames, limits) };
const gossip: Codec<GossipMessage> = {
  encode: (message) => [encodeGossip(message)],
  decode: (frames) => decodeGossip(frames, limits),
};
const beacons: Codec<Beacon> = {
  encode: (value) => [encodeBeacon(value)],
  decode: (frames) => decodeBeacon(frames[0] ?? new Uint8Array(0)),
};

describe('whatever is written is read back', () => {
  function expectRoundTrip<Value>(codec: Codec<Value>, values: fc.Arbitrary<Value>): void {
    const property = fc.property(values, (value) => {
      expect(codec.decode(codec.encode(value))).toEqual({ ok: true, value });
    });
    fc.assert(property, { numRuns: 1_000 });
  }

  test('ZRE', () => expectRoundTrip(zre, zreMessage));
  test('zgossip', () => expectRoundTrip(gossip, gossipMessage));
  test('beacons', () => expectRoundTrip(beacons, beacon));
});

describe('mutated frames neither throw nor stay in memory', () => {
  const heldBytesMax = 50 * 1024 * 1024;
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;

  function heldBytes(): number {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  }

  /** What survives its mutation must be a message that we can send, and that reads back as the same. */
  function attack<Value>(
    codec: Codec<Value>,
    originals: readonly Frames[],
    count: number,
    seed: number,
  ): void {
    const random = seededRandom(seed);
    const before = heldBytes();
    const outcomes = { read: 0, refused: 0 };
    for (let n = 0; n < count; n += 1) {
      const frames = mutateFrames(random, pick(random, originals) ?? []);
      const parsed = codec.decode(frames);
      outcomes[parsed.ok ? 'read' : 'refused'] += 1;
      if (parsed.ok && !isDeepStrictEqual(codec.decode(codec.encode(parsed.value)), parsed)) {
        const hex = frames.map((frame) => Buffer.from(frame).toString('hex'));
        throw new Error(`seed ${seed}, frame ${n}: [${hex}] reads as another message once written again`);
      }
    }
    expect(heldBytes() - before).toBeLessThan(heldBytesMax);
    // Mutations so wild that all are refused, or so mild that none is, would test nothing.
    expect(Math.min(outcomes.read, outcomes.refused)).toBeGreaterThan(count / 100);
  }

  function originalsOf<Value>(
    codec: Codec<Value>,
    vectors: { frames: Frames }[],
    values: fc.Arbitrary<Value>,
  ) {
    const drawn = fc.sample(values, { seed: 4711, numRuns: 300 });
    return [...vectors.map(({ frames }) => frames), ...drawn.map(codec.encode)];
  }

  test('ZRE, 100,000 times', () => attack(zre, originalsOf(zre, zreVectors(), zreMessage), 100_000, 4711));
  test('zgossip, 30,000 times', () =>
    attack(gossip, originalsOf(gossip, gossipVectors(), gossipMessage), 30_000, 4712));
  test('beacons, 20,000 times', () =>
    attack(beacons, originalsOf(beacons, beaconVectors(), beacon), 20_000, 4713));
});
