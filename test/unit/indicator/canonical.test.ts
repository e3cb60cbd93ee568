import { describe, expect, test } from 'vitest';

import { canonicalise } from '../../../src/indicator/canonical.ts';
import { indicatorLimits } from '../../../src/indicator/limits.ts';
import type { Itype } from '../../../src/indicator/types.ts';

function canonical(text: string, stated?: Itype): string {
  const parsed = canonicalise(text, stated);
  return parsed.ok ? `${parsed.value.itype} ${parsed.value.indicator}` : parsed.code;
}

function reason(text: string, stated?: Itype): string {
  const parsed = canonicalise(text, stated);
  return parsed.ok ? '' : parsed.reason;
}

const md5 = 'd41d8cd98f00b204e9800998ecf8427e';
const ssdeep = '768:AXGBicFlgVNhBGcL6wCrFQEv+abcd/0123:AXGHsNhxLsr2C';
const bech32 = 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4';
const bech32m = 'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0';
const label63 = 'a'.repeat(63);

describe('each kind is detected and written in one form', () => {
  test.each([
    ['192.0.2.1', 'ipv4 192.0.2.1'],
    ['  192.0.2.1\r\n', 'ipv4 192.0.2.1'],
    ['192.0.2.0/24', 'ipv4 192.0.2.0/24'],
    ['192.0.2.1/32', 'ipv4 192.0.2.1'],
    ['128.0.0.0/1', 'ipv4 128.0.0.0/1'],
    ['255.255.255.255', 'ipv4 255.255.255.255'],
    ['::ffff:192.0.2.1', 'ipv4 192.0.2.1'],
    ['::FFFF:C000:201', 'ipv4 192.0.2.1'],
    ['::ffff:192.0.2.0/120', 'ipv4 192.0.2.0/24'],
    ['::ffff:0:0/95', 'host-bits'],
    ['2001:DB8:0:0:0:0:0:1', 'ipv6 2001:db8::1'],
    ['2001:db8:0:1:0:0:0:1', 'ipv6 2001:db8:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', 'ipv6 2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', 'ipv6 2001:db8:0:1:1:1:1:1'],
    ['2001:0db8::/32', 'ipv6 2001:db8::/32'],
    ['2001:db8::1/128', 'ipv6 2001:db8::1'],
    ['::1.2.3.4', 'ipv6 ::102:304'],
    ['64:ff9b::192.0.2.1', 'ipv6 64:ff9b::c000:201'],
    ['::', 'ipv6 ::'],
    ['Example.COM.', 'fqdn example.com'],
    ['_dmarc.a--b.-x-.example', 'fqdn _dmarc.a--b.-x-.example'],
    ['bücher.example', 'fqdn xn--bcher-kva.example'],
    ['XN--BCHER-KVA.example', 'fqdn xn--bcher-kva.example'],
    ['аpple.example', 'fqdn xn--pple-43d.example'],
    ['example。com', 'fqdn example.com'],
    ['1.2.3.4.example.com', 'fqdn 1.2.3.4.example.com'],
    ['192.0.2.1-static.example', 'fqdn 192.0.2.1-static.example'],
    ['Name.Tag+x@Example.COM', 'email Name.Tag+x@example.com'],
    ['name..@example.com', 'email name..@example.com'],
    ['ünal@bücher.example', 'email ünal@xn--bcher-kva.example'],
    ['a@[192.0.2.1]', 'email a@[192.0.2.1]'],
    ['a@[ipv6:2001:DB8::1]', 'email a@[IPv6:2001:db8::1]'],
    [md5.toUpperCase(), `md5 ${md5}`],
    ['A'.repeat(40), `sha1 ${'a'.repeat(40)}`],
    ['0'.repeat(64), `sha256 ${'0'.repeat(64)}`],
    ['F'.repeat(128), `sha512 ${'f'.repeat(128)}`],
    ['AS64500', 'asn AS64500'],
    ['as4294967295', 'asn AS4294967295'],
    ['AS0064500', 'asn AS64500'],
    [ssdeep, `ssdeep ${ssdeep}`],
    [`3:${'a'.repeat(7)}:b`, `ssdeep 3:${'a'.repeat(7)}:b`],
    [
      `3221225472:${'a'.repeat(64)}:${'b'.repeat(64)}`,
      `ssdeep 3221225472:${'a'.repeat(64)}:${'b'.repeat(64)}`,
    ],
    // Bitcoin's genesis block, Bitcoin's burn address (twenty zero bytes), the vectors of BIP 16, BIP 173 and BIP 350.
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'btc 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'],
    ['1111111111111111111114oLvT2', 'btc 1111111111111111111114oLvT2'],
    ['3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy', 'btc 3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy'],
    [bech32.toUpperCase(), `btc ${bech32}`],
    [bech32, `btc ${bech32}`],
    [bech32m, `btc ${bech32m}`],
    ['BC1SW50QGDZ25J', 'btc bc1sw50qgdz25j'],
  ])('%j is %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });
});

describe('a port behind an address or a name is taken off', () => {
  test.each([
    ['198.51.100.7:443', 'ipv4 198.51.100.7', '443'],
    ['198.51.100[.]7[:]0443', 'ipv4 198.51.100.7', '443'],
    ['198.51.100.7:0', 'ipv4 198.51.100.7', '0'],
    ['198.51.100.7|65535', 'ipv4 198.51.100.7', '65535'],
    ['[2001:DB8::1]:443', 'ipv6 2001:db8::1', '443'],
    ['[2001:db8::1]', 'ipv6 2001:db8::1', undefined],
    ['[::ffff:198.51.100.7]:22', 'ipv4 198.51.100.7', '22'],
    ['2001:db8::1:443', 'ipv6 2001:db8::1:443', undefined],
    ['Example[.]com:8080', 'fqdn example.com', '8080'],
    ['bücher.example.:53', 'fqdn xn--bcher-kva.example', '53'],
    ['http://example.com:8080/', 'url http://example.com:8080/', undefined],
  ])('%j is %s and port %s', (text, expected, port) => {
    expect(canonical(text)).toBe(expected);
    const parsed = canonicalise(text);
    expect(parsed.ok && parsed.value.port).toBe(port);
  });
});

describe('a URL keeps the case of its path and query', () => {
  test.each([
    ['HTTP://Example.COM', 'http://example.com/'],
    ['http://example.com?Q=1', 'http://example.com/?Q=1'],
    ['http://example.com/?', 'http://example.com/?'],
    ['http://example.com/A/../b/./%2E%zz//c', 'http://example.com/A/../b/./%2E%zz//c'],
    ['http://example.com/%7euser/%41%2d%5F', 'http://example.com/~user/A-_'],
    ['http://example.com/%3a%2f%2e%2e/?a=%c3%a9', 'http://example.com/%3A%2F%2E%2E/?a=%C3%A9'],
    ['http://example.com/%2541%', 'http://example.com/%2541%'],
    ['http://example.com/%%34%31%4%31', 'http://example.com/%%341%4%31'],
    ['http://example.com/?%71=%31', 'http://example.com/?q=1'],
    ['http://example.com/"<>`{}|^\\x', 'http://example.com/"<>`{}|^\\x'],
    ['http://example.com/a%00b', 'http://example.com/a%00b'],
    ['http://example.com/p#fragment?x', 'http://example.com/p'],
    ['http://example.com#f', 'http://example.com/'],
    ['http://example.com:80/', 'http://example.com/'],
    ['https://example.com:443/', 'https://example.com/'],
    ['ftp://example.com:21/x', 'ftp://example.com/x'],
    ['http://example.com:443/', 'http://example.com:443/'],
    ['http://example.com:08080/', 'http://example.com:8080/'],
    ['http://example.com:/', 'http://example.com/'],
    ['http://User:Pa@ss@example.com/', 'http://User:Pa%40ss@example.com/'],
    ['http://@example.com/', 'http://example.com/'],
    ['http://:@example.com/', 'http://example.com/'],
    ['http://u:@example.com/', 'http://u@example.com/'],
    ['http://:p@example.com/', 'http://:p@example.com/'],
    ['http://%75:%3a@example.com/', 'http://u:%3A@example.com/'],
    ['http://good.example@evil.example/', 'http://good.example@evil.example/'],
    ['http://evil.example\\@good.example/', 'http://evil.example/@good.example/'],
    ['http://example.com./x', 'http://example.com/x'],
    ['http://bücher.example/é?ü', 'http://xn--bcher-kva.example/%C3%A9?%C3%BC'],
    ['http://%65xample.com/', 'http://example.com/'],
    ['http://3221225985/', 'http://192.0.2.1/'],
    ['http://0xc0.0.0x201/', 'http://192.0.2.1/'],
    ['http://0300.0.2.1:8080/x', 'http://192.0.2.1:8080/x'],
    ['http://192.0.2.1./', 'http://192.0.2.1/'],
    ['http://[2001:DB8:0::1]:8080/x', 'http://[2001:db8::1]:8080/x'],
    ['http://[::ffff:192.0.2.1]/', 'http://192.0.2.1/'],
    ['https://bitbucket.org/User/Repo/raw/HEAD/x.EXE', 'https://bitbucket.org/User/Repo/raw/HEAD/x.EXE'],
  ])('%j is %s', (text, expected) => {
    expect(canonical(text)).toBe(`url ${expected}`);
  });
});

describe('defanged text is refanged', () => {
  test.each([
    ['hxxp://example[.]com/a', 'url http://example.com/a'],
    ['hXXps[:]//example(.)com', 'url https://example.com/'],
    ['hxxps[://]example{.}com/', 'url https://example.com/'],
    ['h**p://example[dot]com/', 'url http://example.com/'],
    ['hxtp://example(DOT)com/', 'url http://example.com/'],
    ['http:\\\\example.com\\a', 'url http://example.com/a'],
    ['fxp://example.com/', 'url ftp://example.com/'],
    ['example[.com', 'fqdn example.com'],
    ['example.]com', 'fqdn example.com'],
    ['name[at]example[dot]com', 'email name@example.com'],
    ['name(@)example.com', 'email name@example.com'],
    ['192[.]0[.]2.1', 'ipv4 192.0.2.1'],
    ['192[.]0.2[.]0[/]24', 'ipv4 192.0.2.0/24'],
    ['2001[:]db8[:][:]1', 'ipv6 2001:db8::1'],
    ['hxxp://[2001:db8::1]/x', 'url http://[2001:db8::1]/x'],
    ['hxxp://example.com/a[.]php?b=c[at]d(dot)example', 'url http://example.com/a.php?b=c@d.example'],
    ['http://example[.]com[/]a[.]php', 'url http://example.com/a.php'],
    ['http://example.com/a[.]php', 'url http://example.com/a[.]php'],
    ['http://example.com/?to=(at)', 'url http://example.com/?to=(at)'],
    ['meow://example.com/a', 'url http://example.com/a'],
    ['meows://example[.]com/', 'url https://example.com/'],
    ['h__ps://example.com/', 'url https://example.com/'],
    ['hxxxp://example.com/', 'url http://example.com/'],
    ['hxxp[s]://example.com/', 'url https://example.com/'],
    ['hxxps:[//]example.com/', 'url https://example.com/'],
    ['hxxps[:][/][/]example.com[/]x', 'url https://example.com/x'],
    ['[http://]example.com/', 'url http://example.com/'],
    ['[hxxp]://example.com/', 'url http://example.com/'],
    ['http[:]//example.com', 'url http://example.com/'],
    ['f*p://example.com/x', 'url ftp://example.com/x'],
    ['<http://example.com/x>', 'url http://example.com/x'],
    ['<name@example.com>', 'email name@example.com'],
    ['example<.>com', 'fqdn example.com'],
    ['example[.)com', 'fqdn example.com'],
    ['example[ . ]com', 'fqdn example.com'],
    ['example [dot] com', 'fqdn example.com'],
    ['name (at) example {dot} com', 'email name@example.com'],
    ['hxxp://example [.] com/x', 'url http://example.com/x'],
    ['example(.com', 'fqdn example.com'],
    ['example\\.com', 'fqdn example.com'],
    ['192\\.0\\.2\\.1', 'ipv4 192.0.2.1'],
    ['http://www\\.example\\.com/a', 'url http://www.example.com/a'],
    ['hxxp://example\\.com\\a', 'url http://example.com/a'],
    ['http://a.example\\.b.example/', 'url http://a.example/.b.example/'],
    ['192\uff0e0\uff0e2\uff0e1', 'ipv4 192.0.2.1'],
    ['192\u30020\u30022\u30020/24', 'ipv4 192.0.2.0/24'],
    ['example\uff0ecom', 'fqdn example.com'],
    ['http://example\u3002com/a[.]b', 'url http://example.com/a[.]b'],
    ['name@example\uff0ecom', 'email name@example.com'],
    ['na{me@example.com', 'email na{me@example.com'],
  ])('%j is %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });
});

describe('what is no indicator is refused with a code', () => {
  test.each([
    ['', 'empty'],
    [' \t', 'empty'],
    ['com', 'unrecognised'],
    ['com.', 'bad-host'],
    ['64500', 'unrecognised'],
    [md5.slice(1), 'unrecognised'],
    ['AS0', 'bad-asn'],
    ['AS4294967296', 'bad-asn'],
    ['12:34:56', 'bad-address'],
    ['7:aaaaaaa:b', 'bad-address'],
    ['3:aaaaaaa:', 'bad-address'],
    ['3:ZZZZZZ:b', 'unrecognised'],
    [`3:${'Z'.repeat(65)}:b`, 'unrecognised'],
    [`6442450944:${'Z'.repeat(7)}:b`, 'unrecognised'],
    // A wrong digit, a wrong version, a leading zero byte too few, mixed case, the checksum of the other kind.
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb', 'bad-btc'],
    ['111111111111111111114oLvT2', 'bad-btc'],
    ['bc1qR508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'bad-btc'],
    [`${bech32.slice(0, -1)}5`, 'bad-btc'],
    ['bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y', 'bad-btc'],
    ['bc1gmk9yu', 'bad-btc'],
    ['mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn', 'unrecognised'],
    ['0.0.0.0/0', 'bad-prefix'],
    ['::/0', 'bad-prefix'],
    ['::ffff:0:0/96', 'bad-prefix'],
    ['192.0.2.0/33', 'bad-prefix'],
    ['192.0.2.0/', 'bad-prefix'],
    ['192.0.2.0/024', 'bad-prefix'],
    ['192.0.2.0/255.255.255.0', 'bad-prefix'],
    ['192.0.2.5/24', 'host-bits'],
    ['2001:db8::1/32', 'host-bits'],
    ['010.1.2.3', 'leading-zero'],
    ['fe80::1%eth0', 'zone-id'],
    ['192.0.2.1-192.0.2.9', 'address-range'],
    ['192.0.2.1:', 'port'],
    ['192.0.2.1:65536', 'port'],
    ['192.0.2.1:123456', 'port'],
    ['192.0.2.1:-1', 'address-range'],
    ['192.0.2.0/24:80', 'bad-prefix'],
    ['[2001:db8::1]:x', 'port'],
    ['[fe80::1%eth0]:443', 'zone-id'],
    ['[192.0.2.1]:443', 'bad-host'],
    ['2001:db8:0:0:0:0:0:1:443', 'bad-address'],
    ['localhost:80', 'unrecognised'],
    ['com.:80', 'bad-host'],
    ['name@example.com:25', 'bad-host'],
    ['256.1.2.3', 'bad-address'],
    ['1.2.3', 'bad-address'],
    ['2001:db8::1::2', 'bad-address'],
    ['00:11:22:33:44:55', 'bad-address'],
    ['0x7f.0.0.1', 'bad-host'],
    ['example.123', 'bad-host'],
    ['a..example', 'bad-host'],
    ['.example.com', 'bad-host'],
    ['example.com..', 'bad-host'],
    ['*.example.com', 'bad-host'],
    ['example.com:8o', 'bad-host'],
    ['example.com:80/x', 'bad-url'],
    ['xn--a.example', 'bad-host'],
    ['exa$mple.com', 'bad-host'],
    ['example.com/path', 'bad-url'],
    ['http:example.com', 'bad-host'],
    ['http:///example.com', 'bad-url'],
    ['http://example.com:65536/', 'bad-url'],
    ['http://example.com:8o/', 'bad-url'],
    ['http://localhost/', 'bad-host'],
    ['http://1.2.3.4.5/', 'bad-host'],
    ['http://[fe80::1%25eth0]/', 'bad-host'],
    ['http://[192.0.2.0/24]/', 'bad-url'],
    ['gopher://example.com/', 'unsupported-scheme'],
    ['javascript://example.com/', 'unsupported-scheme'],
    ['@example.com', 'bad-email'],
    ['name@', 'bad-host'],
    ['name@192.0.2.1', 'bad-host'],
    ['name@[192.0.2.0/24]', 'bad-email'],
    ['"a b"@example.com', 'whitespace'],
    ['{{.}}@example.com', 'bad-email'],
    ['http://{{.}}@example.com/', 'bad-url'],
    ['http://example.com/a (at) b', 'whitespace'],
    ['\uff11\uff19\uff12.0.2.1', 'bad-host'],
    ['"ab"@example.com', 'bad-email'],
    ['http://example.com/a b', 'whitespace'],
    ['0.0.0.0 example.com', 'whitespace'],
    ['exam\u00a0ple.com', 'whitespace'],
    ['exam\0ple.com', 'control-character'],
    ['http://example.com/\u001b[0m', 'control-character'],
    ['ex\ufffdmple.com', 'encoding'],
    ['ex\ud800mple.com', 'encoding'],
  ])('%j is refused as %s', (text, code) => {
    expect(canonical(text)).toBe(code);
  });
});

describe('each cap holds at the limit and refuses one more', () => {
  const urlOf = (length: number) => `http://example.com/${'a'.repeat(length - 'http://example.com/'.length)}`;
  const host253 = [label63, label63, label63, 'a'.repeat(61)].join('.');
  test.each([
    ['a URL', urlOf(indicatorLimits.urlCharactersMax), urlOf(indicatorLimits.urlCharactersMax + 1)],
    ['a label', `${label63}.example`, `a${label63}.example`],
    ['a host', host253, `${host253}a`],
    ['a local part', `${'a'.repeat(64)}@example.com`, `${'a'.repeat(65)}@example.com`],
    ['a local part in bytes', `${'é'.repeat(32)}@example.com`, `${'é'.repeat(33)}@example.com`],
  ])('%s', (_name, longest, longer) => {
    expect(canonicalise(longest).ok).toBe(true);
    expect(canonical(longer)).toBe('too-long');
  });

  test('a defanged URL counts after refanging', () => {
    const url = urlOf(indicatorLimits.urlCharactersMax);
    expect(canonical(url.replace('http', 'hxxp').replace('.', '[.]'))).toBe(`url ${url}`);
  });

  test('64 KiB of anything is answered in a moment', () => {
    for (const unit of [
      'a',
      '1',
      '1.',
      ':',
      '@',
      '[',
      '[.]',
      'ü',
      '%41',
      'http://',
      'a@',
      '-',
      '\\.',
      '{.}',
      ' [.] ',
      '.',
      'a.',
    ]) {
      const text = unit.repeat(65_536 / unit.length);
      for (const long of [text, text.slice(0, 24_000), `http://${text.slice(0, 24_000)}`]) {
        const started = performance.now();
        canonicalise(long);
        expect(performance.now() - started).toBeLessThan(1_000);
      }
    }
  });
});

describe('a stated itype is verified', () => {
  test.each<[string, Itype, string]>([
    ['64500', 'asn', 'asn AS64500'],
    ['192.0.2.1', 'ipv4', 'ipv4 192.0.2.1'],
    ['::ffff:192.0.2.1', 'ipv6', 'ipv4 192.0.2.1'],
    ['::ffff:192.0.2.1', 'ipv4', 'ipv4 192.0.2.1'],
    ['http://192.0.2.1/', 'ipv4', 'itype-mismatch'],
    ['192.0.2.1', 'fqdn', 'itype-mismatch'],
    ['http://example.com/', 'fqdn', 'itype-mismatch'],
    ['example.com', 'url', 'itype-mismatch'],
    [md5, 'sha256', 'itype-mismatch'],
    ['192.0.2.1:80', 'fqdn', 'itype-mismatch'],
    [md5.toUpperCase(), 'ja3', `ja3 ${md5}`],
    [md5, 'md5', `md5 ${md5}`],
    ['a'.repeat(40), 'ja3', 'itype-mismatch'],
    ['769,47-53,0-10,23-24,0', 'ja3', 'bad-hash'],
    [ssdeep, 'ssdeep', `ssdeep ${ssdeep}`],
    [ssdeep, 'sha256', 'itype-mismatch'],
    ['3::', 'ssdeep', 'itype-mismatch'],
    [bech32, 'btc', `btc ${bech32}`],
    ['foo', 'btc', 'bad-btc'],
    ['foo', 'ssdeep', 'bad-hash'],
    ['com', 'fqdn', 'bad-host'],
    ['foo', 'md5', 'bad-hash'],
    ['foo', 'url', 'bad-url'],
    ['foo', 'email', 'bad-email'],
    ['foo', 'ipv6', 'bad-address'],
    ['4294967296', 'asn', 'bad-asn'],
  ])('%j stated as %s is %s', (text, stated, expected) => {
    expect(canonical(text, stated)).toBe(expected);
  });

  test('a mismatch names both', () => {
    expect(reason('http://192.0.2.1/', 'ipv4')).toBe(
      '"http://192.0.2.1/" is stated as ipv4 but reads as url; correct the itype, or leave it out',
    );
  });
});

describe('a reason says what would be taken', () => {
  test.each([
    ['192.0.2.5/24', '192.0.2.5/24 has host bits set; did you mean 192.0.2.0/24?'],
    ['2001:db8::1/32', '2001:db8::1/32 has host bits set; did you mean 2001:db8::/32?'],
    ['example.com/x', '"example.com/x" has no scheme; send "http://example.com/x" if that is meant'],
    ['0x7f.1', '"0x7f.1" is another way to write the address 127.0.0.1; send that if it is meant'],
    ['*.example.com', '"*.example.com" is a pattern; send the name itself, such as "example.com"'],
  ])('%s', (text, expected) => {
    expect(reason(text)).toBe(expected);
  });

  test('quoted text is escaped and cut', () => {
    expect(reason(`a\u001b${'b'.repeat(1_000)}`)).toMatch(/^"a\\u001bb{77}…" is no indicator/);
  });
});
