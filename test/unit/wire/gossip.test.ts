import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../../../mesh/limits.ts';
import type { GossipPublish, GossipRefusal } from '../../../mesh/wire/gossip.ts';
import { decodeGossip, encodeGossip } from '../../../mesh/wire/gossip.ts';
import { fromHex, gossipVectors, invalidVectors, toHex } from '../../support/wire-vectors.ts';

const limits = defaultLimits;
const valid = gossipVectors();
const invalid = invalidVectors('gossip-invalid');
const tuple: GossipPublish = { kind: 'publish', key: 'K', value: 'tcp://192.0.2.1:5670', ttlMs: 0 };

describe('golden vectors', () => {
  test.each(valid)('$name is read', ({ frames, value }) => {
    expect(decodeGossip(frames, limits)).toEqual({ ok: true, value });
  });

  test.each(valid)('$name is written', ({ frames, value }) => {
    expect(toHex([encodeGossip(value)])).toEqual(toHex(frames));
  });

  test('bytes behind the last field are ignored', () => {
    expect(decodeGossip([fromHex('aaa0030100')], limits)).toEqual({ ok: true, value: { kind: 'ping' } });
    const longer = Buffer.concat([encodeGossip(tuple), Buffer.alloc(3)]);
    expect(decodeGossip([longer], limits)).toEqual({ ok: true, value: tuple });
  });
});

describe('invalid vectors', () => {
  test.each(invalid)('$name: $reason', ({ frames, reason }) => {
    expect(decodeGossip(frames, limits)).toEqual({ ok: false, reason });
  });

  test('cover every reason that needs no large frame', () => {
    const everyReason: Record<GossipRefusal, true> = {
      short: true,
      'not-utf8': true,
      'nul-in-text': true,
      'no-frames': true,
      'extra-frames': true,
      'frame-too-large': true,
      'bad-signature': true,
      'bad-version': true,
      'unknown-kind': true,
      'value-too-long': true,
    };
    const covered = new Set(['frame-too-large', ...invalid.map((vector) => vector.reason)]);
    expect([...covered].sort()).toEqual(Object.keys(everyReason).sort());
  });

  test('a frame cut at any byte is short', () => {
    for (const { frames } of valid) {
      const frame = frames[0] ?? Buffer.alloc(0);
      for (let length = 0; length < frame.length; length += 1) {
        expect(decodeGossip([frame.subarray(0, length)], limits)).toEqual({ ok: false, reason: 'short' });
      }
    }
  });
});

describe('limits, at the limit and one above', () => {
  test('the frame', () => {
    const frame = (bytes: number) => [Buffer.concat([fromHex('aaa00301'), Buffer.alloc(bytes - 4)])];
    expect(decodeGossip(frame(limits.controlFrameBytesMax), limits).ok).toBe(true);
    expect(decodeGossip(frame(limits.controlFrameBytesMax + 1), limits)).toEqual({
      ok: false,
      reason: 'frame-too-large',
    });
  });

  test('a value that is read', () => {
    const generous = { ...limits, gossipValueBytesMax: 2_000 };
    const publish = (bytes: number) => encodeGossip({ ...tuple, value: 'v'.repeat(bytes) }, generous);
    expect(decodeGossip([publish(limits.gossipValueBytesMax)], limits).ok).toBe(true);
    expect(decodeGossip([publish(limits.gossipValueBytesMax + 1)], limits)).toEqual({
      ok: false,
      reason: 'value-too-long',
    });
  });

  test('a value that is written: above about 1,020 bytes it would crash a czmq hub', () => {
    const publish = (bytes: number) => encodeGossip({ ...tuple, value: 'v'.repeat(bytes) });
    expect(publish(limits.gossipValueBytesMax).length).toBeGreaterThan(limits.gossipValueBytesMax);
    expect(() => publish(limits.gossipValueBytesMax + 1)).toThrow(
      expect.objectContaining({ code: 'BAD_ENDPOINT' }),
    );
  });

  test('a key that is written', () => {
    const publish = (bytes: number) => encodeGossip({ ...tuple, key: 'k'.repeat(bytes) });
    expect(decodeGossip([publish(255)], limits).ok).toBe(true);
    expect(() => publish(256)).toThrow(expect.objectContaining({ code: 'BAD_NAME' }));
  });
});

test('a ttl that does not fit is our own bug', () => {
  expect(() => encodeGossip({ ...tuple, ttlMs: 2 ** 32 })).toThrow(RangeError);
});
