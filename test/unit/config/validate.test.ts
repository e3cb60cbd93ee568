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
])('%s refuses %j', async (key, value) => {
  expect(await problemsOf({ flags: { [key]: value } })).toEqual([expect.stringMatching(/ is allowed\.$/)]);
});

test('what a later release brings is refused by name, with what to do in this one', async () => {
  expect(await problemsOf({ flags: { seeds: 'dns://tocsin.test:5671' } })).toEqual([
    '--seeds: dns://tocsin.test:5671 needs DNS discovery, which is not in this release. Name the node as tcp://host:port.',
  ]);
  expect(await problemsOf({ flags: { discovery: 'beacon,mdns' } })).toEqual([
    '--discovery: mdns is not in this release. Use beacon on one network, or gossip with seeds across networks.',
  ]);
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
