import { describe, expect, test } from 'vitest';
import { MeshError } from '../../../mesh/errors.ts';
import { defaultLimits } from '../../../mesh/limits.ts';
import type { Hello, ZreMessage } from '../../../mesh/wire/message.ts';
import type { ZreRefusal } from '../../../mesh/wire/zre.ts';
import { decodeZre, encodeZre } from '../../../mesh/wire/zre.ts';
import { fromHex, invalidVectors, toHex, zreVectors } from '../../support/wire-vectors.ts';

const limits = defaultLimits;
const valid = zreVectors();
const invalid = invalidVectors('zre-invalid');

const bareHello: Hello = {
  kind: 'hello',
  sequence: 1,
  endpoint: 'tcp://192.0.2.1:49152',
  groups: [],
  status: 0,
  name: 'A',
  headers: new Map(),
};

/** Where the lengths and counts of the first vector stand. */
const helloLengthFields = [
  { at: 6, size: 1 },
  { at: 28, size: 4 },
  { at: 32, size: 4 },
  { at: 40, size: 4 },
  { at: 48, size: 1 },
  { at: 50, size: 4 },
  { at: 54, size: 1 },
  { at: 61, size: 4 },
  { at: 68, size: 1 },
  { at: 71, size: 4 },
];

/** What `decodeZre` makes of a message of ours. */
function roundTrip(message: ZreMessage) {
  return decodeZre(encodeZre(message), limits);
}

function numbered(count: number, prefix = ''): string[] {
  return Array.from({ length: count }, (_, n) => `${prefix}${n}`);
}

describe('golden vectors', () => {
  test.each(valid)('$name is read', ({ frames, value }) => {
    expect(decodeZre(frames, limits)).toEqual({ ok: true, value });
  });

  test.each(valid)('$name is written', ({ frames, value }) => {
    expect(toHex(encodeZre(value))).toEqual(toHex(frames));
  });

  test.each(zreVectors('zre-tolerated'))('$name is tolerated', ({ frames, value }) => {
    expect(decodeZre(frames, limits)).toEqual({ ok: true, value });
  });

  test('a plain Uint8Array that starts inside a larger buffer is read', () => {
    for (const { frames, value } of valid) {
      const [control, ...content] = frames;
      const shifted = Uint8Array.from([0xff, ...(control ?? []), 0xff]).subarray(1, -1);
      expect(decodeZre([shifted, ...content], limits)).toEqual({ ok: true, value });
    }
  });
});

describe('invalid vectors', () => {
  test.each(invalid)('$name: $reason', ({ frames, reason }) => {
    expect(decodeZre(frames, limits)).toEqual({ ok: false, reason });
  });

  test('cover every reason that needs no large frame', () => {
    const elsewhere = ['too-many-frames', 'control-frame-too-large', 'content-frame-too-large'] as const;
    const everyReason: Record<ZreRefusal, true> = {
      short: true,
      'not-utf8': true,
      'nul-in-text': true,
      'no-frames': true,
      'too-many-frames': true,
      'control-frame-too-large': true,
      'content-frame-too-large': true,
      'bad-signature': true,
      'bad-version': true,
      'unknown-kind': true,
      'no-content': true,
      'extra-frames': true,
      'too-many-groups': true,
      'group-too-long': true,
      'too-many-headers': true,
      'empty-header-key': true,
      'header-value-too-long': true,
    };
    const covered = new Set([...elsewhere, ...invalid.map((vector) => vector.reason)]);
    expect([...covered].sort()).toEqual(Object.keys(everyReason).sort());
  });

  test('a control frame cut at any byte is short', () => {
    for (const { frames } of valid) {
      const [control, ...content] = frames;
      for (let length = 0; length < (control?.length ?? 0); length += 1) {
        const cut = [control?.subarray(0, length) ?? Buffer.alloc(0), ...content];
        expect(decodeZre(cut, limits)).toEqual({ ok: false, reason: 'short' });
      }
    }
  });

  test('a HELLO with a false length or count never reads as the true one', () => {
    const [{ frames, value } = { frames: [], value: bareHello }] = valid;
    const control = frames[0] ?? Buffer.alloc(0);
    for (const { at, size } of helloLengthFields) {
      const stated = control.readUIntBE(at, size);
      for (const wrong of [0, stated - 1, stated + 1, 2 ** (8 * size) - 1]) {
        const bytes = Buffer.from(control);
        bytes.writeUIntBE(wrong, at, size);
        expect(decodeZre([bytes], limits), `${wrong} for ${stated} at byte ${at}`).not.toEqual({
          ok: true,
          value,
        });
      }
    }
  });
});

describe('limits, at the limit and one above', () => {
  test('the control frame', () => {
    const control = (bytes: number) => [Buffer.concat([fromHex('aaa106020001'), Buffer.alloc(bytes - 6)])];
    expect(decodeZre(control(limits.controlFrameBytesMax), limits).ok).toBe(true);
    expect(decodeZre(control(limits.controlFrameBytesMax + 1), limits)).toEqual({
      ok: false,
      reason: 'control-frame-too-large',
    });
  });

  test('a content frame, be it the first or the last', () => {
    const full = new Uint8Array(limits.contentFrameBytesMax);
    const above = new Uint8Array(limits.contentFrameBytesMax + 1);
    expect(roundTrip({ kind: 'whisper', sequence: 2, content: [full, full] }).ok).toBe(true);
    const refused = { ok: false, reason: 'content-frame-too-large' };
    expect(roundTrip({ kind: 'whisper', sequence: 2, content: [above, full] })).toEqual(refused);
    expect(roundTrip({ kind: 'shout', sequence: 2, group: 'G', content: [full, above] })).toEqual(refused);
  });

  test('frames of one message, the control frame counted', () => {
    const content = Array.from({ length: limits.framesMax - 1 }, () => new Uint8Array(1));
    expect(roundTrip({ kind: 'shout', sequence: 2, group: 'G', content }).ok).toBe(true);
    expect(
      roundTrip({ kind: 'shout', sequence: 2, group: 'G', content: [...content, new Uint8Array(1)] }),
    ).toEqual({
      ok: false,
      reason: 'too-many-frames',
    });
  });

  test('groups', () => {
    const hello = (count: number) => roundTrip({ ...bareHello, groups: numbered(count) });
    expect(hello(limits.groupsMax).ok).toBe(true);
    expect(hello(limits.groupsMax + 1)).toEqual({ ok: false, reason: 'too-many-groups' });
  });

  test('headers, repeated keys counted', () => {
    const hello = (count: number) =>
      roundTrip({ ...bareHello, headers: new Map(numbered(count, 'K').map((key) => [key, ''])) });
    expect(hello(limits.headersMax).ok).toBe(true);
    expect(hello(limits.headersMax + 1)).toEqual({ ok: false, reason: 'too-many-headers' });

    const sameKey = (count: number) => {
      const start = Buffer.from('aaa10102000100000000000000', 'hex');
      const bytes = Buffer.concat([start, Buffer.alloc(4), ...Array(count).fill(fromHex('014b00000000'))]);
      bytes.writeUInt32BE(count, start.length);
      return decodeZre([bytes], limits);
    };
    expect(sameKey(limits.headersMax)).toMatchObject({ ok: true, value: { headers: new Map([['K', '']]) } });
    expect(sameKey(limits.headersMax + 1)).toEqual({ ok: false, reason: 'too-many-headers' });
  });

  test('a header value', () => {
    const hello = (bytes: number) =>
      roundTrip({ ...bareHello, headers: new Map([['K', 'v'.repeat(bytes)]]) });
    expect(hello(limits.headerValueBytesMax).ok).toBe(true);
    expect(hello(limits.headerValueBytesMax + 1)).toEqual({ ok: false, reason: 'header-value-too-long' });
  });

  test('a group of 255 bytes is read from a HELLO', () => {
    const message: ZreMessage = { ...bareHello, groups: [`${'é'.repeat(127)}e`] };
    expect(roundTrip(message)).toEqual({ ok: true, value: message });
  });

  test('are the limits handed in', () => {
    const strict = { ...limits, groupsMax: 1, framesMax: 2 };
    expect(decodeZre(encodeZre({ ...bareHello, groups: ['A', 'B'] }), strict).ok).toBe(false);
    expect(decodeZre([fromHex('aaa102020002'), Buffer.alloc(1), Buffer.alloc(1)], strict).ok).toBe(false);
  });

  test('a count of 4,294,967,295 is refused before anything is made of it', () => {
    const bytes = fromHex('aaa10102000100ffffffff');
    const before = process.memoryUsage().heapUsed;
    for (let n = 0; n < 1_000; n += 1) decodeZre([bytes], limits);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10 * 1024 * 1024);
  });
});

describe('content', () => {
  const content = [new Uint8Array([1]), new Uint8Array(0), new Uint8Array([2])];

  test('is written as it is, without a copy', () => {
    const frames = encodeZre({ kind: 'shout', sequence: 2, group: 'G', content });
    expect(frames.slice(1).every((frame, n) => frame === content[n])).toBe(true);
  });

  test('is read as it is, without a copy', () => {
    const message = roundTrip({ kind: 'whisper', sequence: 2, content });
    if (!message.ok || message.value.kind !== 'whisper') throw new Error('no WHISPER came back');
    expect(message.value.content.every((frame, n) => frame === content[n])).toBe(true);
  });
});

describe('messages that the wire cannot carry throw', () => {
  const long = 'é'.repeat(128);
  const cases: { name: string; message: ZreMessage; code: string }[] = [
    { name: 'a long endpoint', message: { ...bareHello, endpoint: long }, code: 'BAD_ENDPOINT' },
    { name: 'a long name', message: { ...bareHello, name: long }, code: 'BAD_NAME' },
    { name: 'a long group in HELLO', message: { ...bareHello, groups: [long] }, code: 'BAD_GROUP' },
    {
      name: 'a long header key',
      message: { ...bareHello, headers: new Map([[long, '']]) },
      code: 'BAD_HEADER',
    },
    {
      name: 'an empty header key',
      message: { ...bareHello, headers: new Map([['', '']]) },
      code: 'BAD_HEADER',
    },
    {
      name: 'a header value with a NUL',
      message: { ...bareHello, headers: new Map([['K', '\0']]) },
      code: 'BAD_HEADER',
    },
    { name: 'a NUL in the name', message: { ...bareHello, name: 'a\0b' }, code: 'BAD_NAME' },
    {
      name: 'a long group in SHOUT',
      message: { kind: 'shout', sequence: 2, group: long, content: [new Uint8Array(1)] },
      code: 'BAD_GROUP',
    },
    {
      name: 'a long group in JOIN',
      message: { kind: 'join', sequence: 2, group: long, status: 1 },
      code: 'BAD_GROUP',
    },
    {
      name: 'a long group in LEAVE',
      message: { kind: 'leave', sequence: 2, group: long, status: 1 },
      code: 'BAD_GROUP',
    },
    {
      name: 'a long challenger id',
      message: { kind: 'elect', sequence: 2, group: 'G', challengerId: long },
      code: 'BAD_NAME',
    },
    {
      name: 'a long leader id',
      message: { kind: 'leader', sequence: 2, group: 'G', leaderId: long },
      code: 'BAD_NAME',
    },
    {
      name: 'WHISPER without content',
      message: { kind: 'whisper', sequence: 2, content: [] },
      code: 'NO_CONTENT',
    },
    {
      name: 'SHOUT without content',
      message: { kind: 'shout', sequence: 2, group: 'G', content: [] },
      code: 'NO_CONTENT',
    },
  ];

  test.each(cases)('$name: $code', ({ message, code }) => {
    expect(() => encodeZre(message)).toThrow(expect.objectContaining({ name: 'MeshError', code }));
  });

  test('255 bytes are not too long, 256 are, and the message counts them', () => {
    const join = (group: string) => encodeZre({ kind: 'join', sequence: 2, group, status: 1 });
    expect(join('g'.repeat(255))).toHaveLength(1);
    expect(() => join('g'.repeat(256))).toThrow(MeshError);
    expect(() => join('g'.repeat(256))).toThrow(
      'The group is 256 bytes long in UTF-8; at most 255 are allowed.',
    );
  });

  test('a sequence or status that does not fit is our own bug', () => {
    expect(() => encodeZre({ kind: 'ping', sequence: 65_536 })).toThrow(RangeError);
    expect(() => encodeZre({ kind: 'ping', sequence: -1 })).toThrow(RangeError);
    expect(() => encodeZre({ kind: 'join', sequence: 2, group: 'G', status: 256 })).toThrow(RangeError);
  });
});
