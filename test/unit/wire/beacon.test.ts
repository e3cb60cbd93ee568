import { describe, expect, test } from 'vitest';
import type { Beacon } from '../../../mesh/wire/beacon.ts';
import { decodeBeacon, encodeBeacon } from '../../../mesh/wire/beacon.ts';
import { beaconVectors, invalidVectors, toHex } from '../../support/wire-vectors.ts';

/** A beacon is one datagram: the vector's only frame. */
function datagram(frames: readonly Uint8Array[]): Uint8Array {
  return frames[0] ?? new Uint8Array(0);
}

const valid = beaconVectors();

describe('golden vectors', () => {
  test.each(valid)('$name is read', ({ frames, value }) => {
    expect(decodeBeacon(new Uint8Array(datagram(frames)))).toEqual({ ok: true, value });
  });

  test.each(valid)('$name is written', ({ frames, value }) => {
    expect(toHex([encodeBeacon(value)])).toEqual(toHex(frames));
  });

  test('a beacon inside a larger buffer is read', () => {
    for (const { frames, value } of valid) {
      const shifted = Uint8Array.from([0xff, ...datagram(frames), 0xff]).subarray(1, -1);
      expect(decodeBeacon(shifted)).toEqual({ ok: true, value });
    }
  });
});

describe('invalid vectors', () => {
  test.each(invalidVectors('beacon-invalid'))('$name: $reason', ({ frames, reason }) => {
    expect(decodeBeacon(datagram(frames))).toEqual({ ok: false, reason });
  });

  test('a beacon cut at any byte is refused', () => {
    for (const { frames } of valid) {
      const bytes = datagram(frames);
      for (let length = 0; length < bytes.length; length += 1) {
        expect(decodeBeacon(bytes.subarray(0, length)).ok).toBe(false);
      }
    }
  });
});

test('the public key is a copy: the socket may reuse its buffer', () => {
  const curve = valid.find(({ value }) => value.version === 3);
  const bytes = Buffer.from(datagram(curve?.frames ?? []));
  const beacon = decodeBeacon(bytes);
  bytes.fill(0);
  expect(beacon).toEqual({ ok: true, value: curve?.value });
});

test('a port or key that does not fit is our own bug', () => {
  const [{ value: plain } = { value: undefined }] = valid;
  if (plain === undefined) throw new Error('no vectors');
  const curve: Beacon = { version: 3, id: plain.id, port: 1, publicKey: new Uint8Array(31) };
  expect(() => encodeBeacon({ version: 1, id: plain.id, port: 65_536 })).toThrow(RangeError);
  expect(() => encodeBeacon(curve)).toThrow('32 bytes');
});
