import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import type { PeerId } from '../../../mesh/ids.ts';
import { curvePairOf, isPublicKey } from '../../../mesh/security/curve.ts';
import { securityHeaders, standingOf } from '../../../mesh/security/hello.ts';
import { type Identity, identityHeader, idOfPublicKey } from '../../../mesh/security/identity.ts';
import { z85Decode, z85Encode } from '../../../mesh/security/z85.ts';
import { answerZap } from '../../../mesh/security/zap.ts';
import type { Hello } from '../../../mesh/wire/message.ts';

const endpoint = 'tcp://192.0.2.1:1000';

function newIdentity(): Identity & { readonly id: PeerId } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { id: idOfPublicKey(raw), publicKey: raw, sign: (bytes) => sign(undefined, bytes, privateKey) };
}

function helloWith(headers: Iterable<readonly [string, string]>, at = endpoint): Hello {
  return {
    kind: 'hello',
    sequence: 1,
    endpoint: at,
    groups: [],
    status: 0,
    name: '',
    headers: new Map(headers),
  };
}

test('Z85 is that of ZeroMQ RFC 32', () => {
  const bytes = Uint8Array.from([0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b]);
  expect(z85Encode(bytes)).toBe('HelloWorld');
  expect(z85Decode('HelloWorld')).toEqual(bytes);
  expect(z85Decode('Hello')).toEqual(bytes.subarray(0, 4));
});

test.each(['Hell', 'Hell"', '#####', 'Hellö'])('%s is no Z85', (text) => {
  expect(z85Decode(text)).toBeUndefined();
});

test('a mesh key gives the same pair everywhere, another key another one, and no pair that libzyre would drop', () => {
  const key = new Uint8Array(32).fill(7);
  expect(curvePairOf(key)).toEqual(curvePairOf(Uint8Array.from(key)));
  const pairs = Array.from({ length: 600 }, (_, i) => curvePairOf(new Uint8Array(32).fill(i & 0xff, i >> 8)));
  expect(new Set(pairs.map(({ publicKey }) => publicKey)).size).toBeGreaterThan(500);
  for (const { publicKey } of pairs) {
    expect(isPublicKey(publicKey)).toBe(true);
    expect(z85Decode(publicKey)?.[0]).not.toBe(0);
  }
  expect(() => curvePairOf(new Uint8Array(31))).toThrow('32 bytes, not 31');
});

const publicKey = curvePairOf(new Uint8Array(32)).publicKey;
const rawKey = z85Decode(publicKey) ?? new Uint8Array();

function zapRequest(fields: { version?: string; mechanism?: string; key?: Uint8Array } = {}): Uint8Array[] {
  const { version = '1.0', mechanism = 'CURVE', key = rawKey } = fields;
  return [version, 'r7', 'mesh-1', '127.0.0.1', '', mechanism, key].map((frame) => Buffer.from(frame));
}

test('ZAP admits the key of the mesh, and answers with the id of the request', () => {
  const reply = answerZap(zapRequest(), (domain, key) => domain === 'mesh-1' && key === publicKey);
  expect(reply.map(String)).toEqual(['1.0', 'r7', '200', 'OK', '', '']);
});

test.each([
  ['another key', zapRequest({ key: new Uint8Array(32) })],
  ['another mechanism', zapRequest({ mechanism: 'PLAIN' })],
  ['no encryption', zapRequest({ mechanism: 'NULL' }).slice(0, 6)],
  ['a short key', zapRequest({ key: rawKey.subarray(1) })],
  ['another version', zapRequest({ version: '2.0' })],
  ['nothing', []],
])('ZAP refuses %s', (_what, request) => {
  expect(String(answerZap(request, (_domain, key) => key === publicKey)[2])).toBe('400');
});

test('a HELLO proves that its sender owns the id and listens at the endpoint', () => {
  const { id, ...identity } = newIdentity();
  const headers = securityHeaders({ endpoint, publicKey }, id, identity);
  expect(headers.map(([name]) => name)).toEqual(['X-PUBLICKEY', identityHeader]);
  expect(standingOf(helloWith(headers), id)).toBe('proven');
  expect(standingOf(helloWith(headers, 'tcp://192.0.2.6:6666'), id)).toBe('forged');
  expect(standingOf(helloWith(headers), newIdentity().id)).toBe('forged');
  expect(standingOf(helloWith([]), id)).toBe('unproven');
});

test.each(['', '.', 'x.y', `${'A'.repeat(43)}.${'A'.repeat(86)}`, 'a.b.c'])('%s proves nothing', (proof) => {
  const { id } = newIdentity();
  expect(standingOf(helloWith([[identityHeader, proof]]), id)).toBe('forged');
});
