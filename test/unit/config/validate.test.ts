import { expect, test } from 'vitest';

import { configure, problemsOf } from './support.ts';

test('a bad value is refused with its source and what is allowed', async () => {
  expect(await problemsOf({ env: { TOCSIN_HTTP_PORT: 'eighty' }, flags: { meshPort: '65536' } })).toEqual([
    'TOCSIN_HTTP_PORT is "eighty": a port from 0 (any free one) to 65535 is allowed.',
    '--mesh-port is "65536": a port from 0 (any free one) to 65535 is allowed.',
  ]);
});

test.each([
  ['httpPort', '8480.5'],
  ['httpPort', '0x10'],
  ['httpPort', ''],
  ['beaconPort', '0'],
  ['httpHost', 'not a host'],
  ['httpHost', 'tcp://127.0.0.1'],
  ['name', '-alpha'],
  ['name', 'a'.repeat(65)],
  ['name', 'two words'],
  ['seeds', '192.0.2.1:5671'],
  ['seeds', 'tcp://192.0.2.1'],
  ['seeds', 'tcp://192.0.2.1:0'],
  ['seeds', 'tcp://2001:db8::1:5671'],
  ['discovery', 'carrier-pigeon'],
  ['discovery', ','],
  ['logLevel', 'loud'],
  ['insecureMesh', 'perhaps'],
  ['webhookAllow', '10.0.0.0/33'],
  ['webhookAllow', '127.1'],
  ['webhookAllow', 'https://siem.example.com'],
  ['webhookAllow', 'siem.example.com:8443'],
])('%s refuses %j', async (key, value) => {
  expect(await problemsOf({ flags: { [key]: value } })).toEqual([expect.stringMatching(/ is allowed\.$/)]);
});

test('webhooks may be allowed names, addresses and networks', async () => {
  const hosts = ['siem.internal.test', '192.0.2.7', '10.0.0.0/8', '2001:db8::1', 'fd00::/8'];
  expect(await configure({ env: { TOCSIN_WEBHOOK_ALLOW: hosts.join(', ') } })).toMatchObject({
    ok: true,
    config: { webhookAllow: hosts },
  });
});

test.each([
  'dns://tocsin.test:5671',
  'dns://tocsin-headless.default.svc.cluster.local:5671',
  'dns://_gossip._tcp.tocsin.test',
  'tcp://[2001:db8::1]:5671',
  'tcp://seed-1:5671',
])('%s is a seed', async (seed) => {
  expect(await configure({ flags: { seeds: seed } })).toMatchObject({ ok: true, config: { seeds: [seed] } });
});

test.each([
  'dns://tocsin.test',
  'dns://tocsin.test:0',
  'dns://192.0.2.1:5671',
  'dns://_gossip._udp.tocsin.test',
  'dns://_gossip._tcp.',
  'dns://_gossip._tcp.tocsin.test:5671',
  'dns://two words:1',
])('%s is no seed', async (seed) => {
  expect(await problemsOf({ flags: { seeds: seed } })).toEqual([
    expect.stringMatching(/^--seeds is .* is allowed\.$/),
  ]);
});

test('a seed that no way of discovery would ask is refused, and so is DNS without a name', async () => {
  expect(
    await problemsOf({ flags: { seeds: 'dns://tocsin.test:5671', discovery: 'beacon,gossip' } }),
  ).toEqual(['The seed dns://tocsin.test:5671 needs dns, which is not among --discovery beacon,gossip.']);
  expect(await problemsOf({ flags: { seeds: 'tcp://192.0.2.1:5671', discovery: 'dns' } })).toEqual([
    'The seed tcp://192.0.2.1:5671 needs gossip, which is not among --discovery dns.',
  ]);
  expect(await problemsOf({ flags: { discovery: 'dns' } })).toEqual([
    expect.stringContaining('finds nobody'),
  ]);
});

test.each([
  '192.0.2.1',
  '192.0.2.1:7000',
  '2001:db8::1',
  '[2001:db8::1]:7000',
  'node-1.example.com:7000',
  'node-1',
])('peers can be told %s', async (meshAdvertise) => {
  expect(await configure({ flags: { meshAdvertise } })).toMatchObject({
    ok: true,
    config: { meshAdvertise },
  });
});

test.each([
  '0.0.0.0',
  '::',
  '0.0.0.0:7000',
  '[::]:7000',
  'tcp://192.0.2.1:1',
  '192.0.2.1:0',
  'two words',
  '',
])('peers cannot be told %j', async (meshAdvertise) => {
  expect(await problemsOf({ flags: { meshAdvertise } })).toHaveLength(1);
});

test('a mesh on an address that others reach is refused unless asked for by name', async () => {
  const flags = { meshHost: '192.0.2.10' };
  expect(await problemsOf({ flags })).toEqual([expect.stringContaining('--insecure-mesh')]);
  expect(await configure({ flags: { ...flags, insecureMesh: true } })).toMatchObject({
    ok: true,
    warnings: [expect.stringContaining('in clear')],
  });
});

test.each(['127.0.0.1', '127.8.8.8', '::1', 'localhost'])(
  'a mesh on %s stays on this machine',
  async (meshHost) => {
    expect(await problemsOf({ flags: { meshHost } })).toEqual([]);
  },
);

test('HTTP and the stream may be opened to others, with a warning', async () => {
  expect(await configure({ env: { TOCSIN_HTTP_HOST: '0.0.0.0', TOCSIN_STREAM_HOST: '::' } })).toMatchObject({
    ok: true,
    config: { httpHost: '0.0.0.0' },
    warnings: [
      expect.stringContaining('tokens travel in clear'),
      expect.stringContaining('asks for no token'),
    ],
  });
});

test('PULL on an address that others reach is refused without a stream key', async () => {
  const flags = { pullPort: '8482', pullHost: '192.0.2.10' };
  expect(await problemsOf({ flags })).toEqual([expect.stringContaining('TOCSIN_STREAM_KEY')]);
  // Without a port nothing is bound.
  expect(await problemsOf({ flags: { pullHost: '192.0.2.10' } })).toEqual([]);
  expect(await problemsOf({ flags: { pullPort: '8482' } })).toEqual([]);
  const env = { TOCSIN_STREAM_KEY: Buffer.alloc(32, 7).toString('base64url'), TOCSIN_STREAM_HOST: '0.0.0.0' };
  expect(await configure({ flags, env })).toMatchObject({ ok: true, warnings: [] });
});

test('a bad list of tokens is refused without showing it', async () => {
  const tokens = 'secret'.repeat(11_000);
  const [problem] = await problemsOf({ env: { TOCSIN_TOKENS: tokens } });
  expect(problem).toMatch(/^TOCSIN_TOKENS is not readable:/);
  expect(problem).not.toContain('secretsecret');
});

test('a list is read from commas, without repetitions', async () => {
  expect(await configure({ env: { TOCSIN_DISCOVERY: 'gossip, beacon,gossip' } })).toMatchObject({
    ok: true,
    config: { discovery: ['gossip', 'beacon'] },
  });
});
