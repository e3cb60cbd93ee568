import { domainToASCII, domainToUnicode } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { canonicalise } from '../../src/indicator/canonical.ts';
import { recordId } from '../../src/indicator/record.ts';

/** Things that are equal and are written differently get one record id; things that differ do not. */

const runs = { numRuns: 2_000 };

function idOf(text: string): string {
  const parsed = canonicalise(text);
  if (!parsed.ok) return `${parsed.code} (${text})`;
  const { itype, indicator } = parsed.value;
  return recordId({ itype, indicator, provider: 'reader', group: 'everyone' });
}

function anyCase(text: string, mask: number): string {
  return [...text].map((letter, i) => ((mask >>> (i % 31)) & 1 ? letter.toUpperCase() : letter)).join('');
}

const mask = fc.nat(0x7fffffff);
const label = fc.oneof(
  fc.stringMatching(/^[a-z]([a-z0-9_-]{0,8}[a-z0-9])?$/),
  // Several scripts, mixed ones, letters that fold (ß does not), a combining mark that composes.
  fc.constantFrom(
    'bücher',
    'straße',
    'аpple',
    'пример',
    '例え',
    'مثال',
    'δοκιμή',
    'café',
    'café',
    'ＡＢＣ',
    'İstanbul',
    'ǆ',
  ),
);
const name = fc
  .tuple(
    fc.array(label, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('example', 'test', 'xn--p1ai', 'рф'),
  )
  .map(([labels, last]) => [...labels, last].join('.'))
  .filter((text) => domainToASCII(text) !== '');
const path = fc.stringMatching(/^(\/[A-Za-z0-9._~!$&'()*+,;=:@-]{0,6}){0,3}(\?[A-Za-z0-9=&]{0,6})?$/);
const groups = fc.array(fc.constantFrom(0, 0, 0, 1, 0xdb8, 0xffff, 0x2001), { minLength: 8, maxLength: 8 });

test('a name is one in upper and lower case, U-labels and A-labels, with a dot at its end, with dots of other scripts', () => {
  fc.assert(
    fc.property(
      name,
      mask,
      fc.constantFrom('', '.', '。', '．'),
      fc.constantFrom('.', '。', '．', '｡'),
      (text, upper, end, dot) => {
        const ascii = domainToASCII(text);
        const id = idOf(ascii);
        expect(id).toMatch(/^[0-9a-f]{32}$/);
        expect(idOf(text.normalize('NFD'))).toBe(id);
        expect(idOf(domainToUnicode(ascii))).toBe(id);
        expect(idOf(anyCase(ascii, upper) + end)).toBe(id);
        expect(idOf(text.replaceAll('.', dot) + end)).toBe(id);
        expect(idOf(`http://${text}/`)).toBe(idOf(`HTTP://${anyCase(ascii, upper)}${end}:80`));
        expect(idOf(`Name@${text}`)).toBe(idOf(`Name@${anyCase(ascii, upper)}${end}`));
        expect(idOf(`name@${text}`)).not.toBe(idOf(`Name@${text}`));
      },
    ),
    runs,
  );
});

test('an IPv6 address is one in every spelling, and none with a zone', () => {
  fc.assert(
    fc.property(groups, mask, fc.integer({ min: 1, max: 127 }), (parts, upper, zone) => {
      const hex = parts.map((part) => part.toString(16));
      const [high = 0, low = 0] = parts.slice(6);
      const dotted = [...hex.slice(0, 6), `${high >>> 8}.${high & 255}.${low >>> 8}.${low & 255}`].join(':');
      const full = hex.map((part) => part.padStart(4, '0')).join(':');
      const id = idOf(hex.join(':'));
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      for (const spelling of [
        full,
        anyCase(full, upper),
        dotted,
        `[${full}]`,
        `${full}/128`,
        `[${full}]:443`,
      ])
        expect(idOf(spelling)).toBe(id);
      expect(idOf(`http://[${full}]/`)).toBe(idOf(`http://[${dotted}]:80`));
      for (const zoned of [`${full}%eth${zone}`, `[${full}%25${zone}]`, `http://[${full}%25eth0]/`])
        expect(canonicalise(zoned).ok).toBe(false);
    }),
    runs,
  );
});

test('an IPv4 address is one when IPv6 maps it, in a URL when it is written as a number, and with a port', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.nat(65_535), (number, port) => {
      const octets = [24, 16, 8, 0].map((shift) => (number >>> shift) & 255);
      const text = octets.join('.');
      const id = idOf(text);
      const hex = `${(number >>> 16).toString(16)}:${(number & 0xffff).toString(16)}`;
      for (const spelling of [
        `::ffff:${text}`,
        `::FFFF:${hex}`,
        `0:0:0:0:0:ffff:${hex}`,
        `${text}/32`,
        `::ffff:${text}/128`,
      ])
        expect(idOf(spelling)).toBe(id);
      expect(idOf(`${text}:${port}`)).toBe(id);
      expect(canonicalise(`[::ffff:${hex}]:${port}`)).toEqual({
        ok: true,
        value: { itype: 'ipv4', indicator: text, port: String(port) },
      });
      const url = idOf(`http://${text}/`);
      const octal = octets.map((octet) => `0${octet.toString(8)}`).join('.');
      for (const host of [String(number), `0x${number.toString(16)}`, octal, `[::ffff:${hex}]`, `${text}.`])
        expect(idOf(`http://${host}/`)).toBe(url);
      // Embedded otherwise it is another address: a translator's, or nobody's.
      expect(idOf(`64:ff9b::${text}`)).not.toBe(id);
      expect(idOf(`::${text}`)).not.toBe(id);
    }),
    runs,
  );
});

test('a URL is one with its default port, its fragment, and its scheme and host in any case; its path, port and user tell it apart', () => {
  const scheme = fc.constantFrom(['http', '80'], ['https', '443'], ['ftp', '21']);
  fc.assert(
    fc.property(
      scheme,
      name,
      path,
      mask,
      fc.constantFrom('', '#', '#a/b?c'),
      ([protocol = '', port = ''], host, rest, upper, fragment) => {
        const plain = `${protocol}://${host}/x${rest}`;
        const id = idOf(plain);
        expect(id).toMatch(/^[0-9a-f]{32}$/);
        const written = anyCase(`${protocol}://${domainToASCII(host)}`, upper);
        for (const to of ['', '.', ':', `:${port}`, `.:0${port}`])
          expect(idOf(`${written}${to}/x${rest}${fragment}`)).toBe(id);
        for (const other of [
          `${protocol}://${host}:8080/x${rest}`,
          `${protocol}://u@${host}/x${rest}`,
          `${protocol}://${host}/X${rest}`,
          `${plain}%20`,
        ])
          expect(idOf(other)).not.toBe(id);
      },
    ),
    runs,
  );
});
