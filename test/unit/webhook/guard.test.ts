import { describe, expect, test } from 'vitest';
import { allowedFrom, literalHost, parseTarget, usableAddresses } from '../../../src/webhook/guard.ts';

const nothing = allowedFrom([]);

function target(text: string): URL {
  const parsed = parseTarget(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

/** Every spelling of an address in a URL that a browser takes (WHATWG URL, section 3.5), each of this machine or a private one. */
const spellings = [
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://0x7f000001/',
  'http://017700000001/',
  'http://0177.0.0.1/',
  'http://127.1/',
  'http://127.0.1/',
  'http://0/',
  'http://0.0.0.0/',
  'http://①②⑦.0.0.1/',
  'http:\\\\127.0.0.1\\',
  'https://[::1]/',
  'https://[::]/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[64:ff9b::169.254.169.254]/',
  'https://[64:ff9b:1::7f00:1]/',
  'https://[2002:7f00:1::]/',
  'https://[2001::7f00:1]/',
  'https://[fe80::1]/',
  'https://[fec0::1]/',
  'https://[fd00:ec2::254]/',
  'https://[ff02::1]/',
  'https://[4000::1]/',
  'https://[::8.8.8.8]/',
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/',
  'http://198.18.0.1/',
  'http://192.0.2.1/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://240.0.0.1/',
];

describe('addresses', () => {
  for (const text of spellings) {
    test(`${text} is not public`, () => {
      const url = target(text);
      const literal = literalHost(url);
      expect(literal).toBeDefined();
      expect(usableAddresses(url, [literal ?? ''], nothing)).toMatchObject({ ok: false, code: 'not-public' });
    });
  }

  test('public addresses of both families are usable', () => {
    for (const address of ['1.1.1.1', '8.8.8.8', '2606:4700:4700::1111', '2a00:1450:4001::1'])
      expect(usableAddresses(target('https://hooks.example.com/'), [address], nothing)).toEqual({
        ok: true,
        value: [address],
      });
  });

  test('of several answers only those that are public are used; none is refused with the reason and the way out', () => {
    const url = target('https://hooks.example.com/');
    expect(usableAddresses(url, ['127.0.0.1', '1.1.1.1', 'fe80::1%eth0'], nothing)).toEqual({
      ok: true,
      value: ['1.1.1.1'],
    });
    const refused = usableAddresses(url, ['169.254.169.254'], nothing);
    expect(refused).toMatchObject({ ok: false, code: 'not-public' });
    expect(refused.ok ? '' : refused.reason).toMatch(/169\.254\.169\.254 is Link.Local.*--webhook-allow/);
    expect(usableAddresses(url, [], nothing)).toMatchObject({ ok: false });
  });

  test('a name, an address and a network are allowed by the setting, and nothing beside them', () => {
    const allowed = allowedFrom(['siem.internal.test', '127.0.0.1', '10.1.0.0/16', 'fd00::/8']);
    const any = target('https://hooks.example.com/');
    for (const address of ['127.0.0.1', '::ffff:127.0.0.1', '10.1.2.3', 'fd12::1'])
      expect(usableAddresses(any, [address], allowed).ok, address).toBe(true);
    for (const address of ['127.0.0.2', '10.2.0.1', 'fe80::1', '192.168.0.1'])
      expect(usableAddresses(any, [address], allowed).ok, address).toBe(false);
    for (const name of ['siem.internal.test', 'SIEM.internal.test.'])
      expect(usableAddresses(target(`https://${name}/`), ['192.168.0.1'], allowed).ok).toBe(true);
    expect(usableAddresses(target('https://x.siem.internal.test/'), ['192.168.0.1'], allowed).ok).toBe(false);
  });
});

describe('URLs', () => {
  test('http and https without credentials are taken, the fragment is dropped', () => {
    expect(target('https://hooks.example.com:8443/a?b=c#d').href).toBe(
      'https://hooks.example.com:8443/a?b=c',
    );
  });

  for (const text of [
    'ftp://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:,x',
    'gopher://example.com/',
    '//example.com/',
    'example.com',
    '',
    'http://',
    'https://user@example.com/',
    'https://user:secret@example.com/',
    'https://[fe80::1%25eth0]/',
    'https://exa mple.com/',
    `https://example.com/${'a'.repeat(2_048)}`,
  ]) {
    test(`${JSON.stringify(text.slice(0, 40))} is refused`, () => {
      expect(parseTarget(text)).toMatchObject({ ok: false, code: 'bad-url' });
    });
  }

  test('a refusal does not repeat a password', () => {
    const parsed = parseTarget('https://user:secret@example.com/');
    expect(parsed.ok ? '' : parsed.reason).not.toContain('secret');
  });
});
