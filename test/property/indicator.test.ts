import { createHash } from 'node:crypto';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { canonicalise, canonicaliseFully } from '../../src/indicator/canonical.ts';
import { readTags, readText } from '../../src/indicator/fields.ts';
import { parseObservation, standardDefaults } from '../../src/indicator/observation.ts';
import { plainItype } from '../../src/indicator/plain.ts';
import { mergeRecords, mergeStatement, saysMore } from '../../src/indicator/record.ts';
import { valueKey } from '../../src/indicator/sort-key.ts';
import { specialPurpose } from '../../src/indicator/special-purpose.ts';
import { parseTime, rfc3339 } from '../../src/indicator/times.ts';
import type { IndicatorRecord, Observation, Stamp, Statement } from '../../src/indicator/types.ts';
import { itypes } from '../../src/indicator/types.ts';
import { splitAtHost } from '../../src/indicator/url.ts';

/** Written the other way round than the code that reads it: bytes in, text out. */
function base58Check(payload: Uint8Array): string {
  const twice = createHash('sha256').update(createHash('sha256').update(payload).digest()).digest();
  const bytes = Buffer.concat([payload, twice.subarray(0, 4)]);
  let number = BigInt(`0x${bytes.toString('hex')}`);
  let text = '';
  for (; number > 0n; number /= 58n) {
    text = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'[Number(number % 58n)] + text;
  }
  const zeros = bytes.findIndex((byte) => byte !== 0);
  return '1'.repeat(zeros) + text;
}

/** An address of BIP 173 or BIP 350. */
function segwit(version: number, program: Uint8Array): string {
  const bits = [...program].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const words = (bits.match(/.{1,5}/g) ?? []).map((word) => Number.parseInt(word.padEnd(5, '0'), 2));
  const data = [version, ...words];
  const mark = polymod([3, 3, 0, 2, 3, ...data, 0, 0, 0, 0, 0, 0]) ^ (version === 0 ? 1n : 0x2bc830a3n);
  const check = [25n, 20n, 15n, 10n, 5n, 0n].map((shift) => Number((mark >> shift) & 31n));
  return `bc1${[...data, ...check].map((word) => 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'[word]).join('')}`;
}

function polymod(values: readonly number[]): bigint {
  let sum = 1n;
  for (const value of values) {
    const top = sum >> 25n;
    sum = ((sum & 0x1ffffffn) << 5n) ^ BigInt(value);
    for (const [i, generator] of [0x3b6a57b2n, 0x26508e6dn, 0x1ea119fan, 0x3d4233ddn, 0x2a1462b3n].entries())
      if ((top >> BigInt(i)) & 1n) sum ^= generator;
  }
  return sum;
}

const runs = { numRuns: 2_000 };

const name = fc.domain();
const ipv4 = fc.ipV4();
// Random groups hardly ever have two runs of zeros.
const sparseIpv6 = fc
  .array(fc.constantFrom('0', '0', '1', 'a0'), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.join(':'));
const ipv6 = fc.oneof(fc.ipV6(), sparseIpv6);
const path = fc
  .array(
    fc.constantFrom(
      '/',
      'a',
      'B',
      '.',
      '..',
      '%2e',
      '%zz',
      '%7e',
      '%4',
      '%',
      '1',
      '%31',
      '%c3%A9',
      '@',
      ':',
      '[.]',
      '\\',
      'é',
      '?',
      '=',
      '&',
      '(at)',
    ),
  )
  .map((parts) => `/${parts.join('')}`);
const host = fc.oneof(
  name,
  ipv4,
  ipv6.map((address) => `[${address}]`),
  fc.nat(0xffff_ffff).map(String),
);
const url = fc
  .record({
    scheme: fc.constantFrom('http', 'HTTPS', 'ftp'),
    user: fc.constantFrom('', '@', 'u@', 'u:p@', 'a@b@'),
    host,
    port: fc.constantFrom('', ':', ':80', ':0443', ':65535'),
    path: fc.option(path, { nil: '' }),
    fragment: fc.constantFrom('', '#', '#x'),
  })
  .map((part) => `${part.scheme}://${part.user}${part.host}${part.port}${part.path}${part.fragment}`);
const hash = fc.constantFrom(32, 40, 64, 128).chain((length) =>
  fc.string({
    unit: fc.constantFrom(...'0123456789abcdefABCDEF'.split('')),
    minLength: length,
    maxLength: length,
  }),
);
const asn = fc.integer({ min: 1, max: 4_294_967_295 }).map((number) => `as${number}`);
const email = fc
  .tuple(fc.emailAddress(), fc.boolean())
  .map(([text, upper]) => (upper ? text.toUpperCase() : text));
const base64 = (minLength: number) => fc.stringMatching(new RegExp(`^[A-Za-z0-9+/]{${minLength},64}$`));
const ssdeep = fc
  .tuple(fc.nat(30), base64(7), base64(1))
  .map(([step, first, second]) => `${3 * 2 ** step}:${first}:${second}`);
const wallet = fc.oneof(
  fc
    .tuple(fc.constantFrom(0, 5, 111), fc.uint8Array({ minLength: 20, maxLength: 20 }))
    .map(([version, payload]) => ({
      text: base58Check(Buffer.from([version, ...payload])),
      valid: version !== 111,
    })),
  fc
    .tuple(fc.nat(16), fc.uint8Array({ minLength: 2, maxLength: 40 }), fc.boolean())
    .map(([version, program, upper]) => {
      const text = segwit(version, program);
      const valid = version > 0 || program.length === 20 || program.length === 32;
      return { text: upper ? text.toUpperCase() : text, valid };
    }),
);
const anyIndicator = fc.oneof(
  name,
  ipv4,
  ipv6,
  url,
  hash,
  asn,
  email,
  ssdeep,
  wallet.map(({ text }) => text),
);

/** Text made of the pieces that parsers trip over. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(
      fc.oneof(
        anyIndicator,
        fc.constantFrom(...'[](){}.:/@%-?#\\ '.split(''), 'dot', '[.]', 'hxxp', '://', '\0', '\ufffd'),
      ),
      {
        maxLength: 8,
      },
    )
    .map((parts) => parts.join('')),
);

/** What RFC 3986, section 6.2.2 calls equivalent, and what the URL class does not touch. */
function decoded(pathname: string): string {
  return pathname
    .replace(/%[\da-f]{2}/gi, (triple) => triple.toUpperCase())
    .replace(/(?<!%[\da-f]?)%(?:[46][1-9A-F]|[57][\dA]|3\d|2D|5F|7E)/gi, (triple) =>
      decodeURIComponent(triple),
    );
}

describe('canonicalise', () => {
  test('whatever it accepts it gives back unchanged', () => {
    let accepted = 0;
    fc.assert(
      fc.property(
        fc.oneof(anyIndicator, anyText),
        fc.option(fc.constantFrom(...itypes), { nil: undefined }),
        (text, stated) => {
          const once = canonicalise(text, stated);
          if (!once.ok) return;
          accepted += 1;
          // 32 hex digits are an MD5 unless someone says that they are a JA3.
          const { port: _, ...value } = once.value;
          if (value.itype !== 'ja3') expect(canonicalise(value.indicator)).toEqual({ ok: true, value });
          expect(canonicalise(value.indicator, value.itype)).toEqual({ ok: true, value });
          valueKey(once.value.itype, once.value.indicator);
          specialPurpose(once.value.itype, once.value.indicator);
        },
      ),
      { numRuns: 10_000 },
    );
    expect(accepted).toBeGreaterThan(1_000);
  });

  test('percent-encoding does not tell two URLs apart, case and everything else does', () => {
    const character = fc.constantFrom(...'aBz09-_~/?=&;:'.split(''));
    const written = fc.array(fc.tuple(character, fc.nat(2)), { maxLength: 12 }).map((all) => ({
      plain: all
        .map(([each, how]) => (how === 0 || /[\w~-]/.test(each) ? each : encodeURIComponent(each)))
        .join(''),
      encoded: all
        .map(([each, how]) => {
          const hex = each.charCodeAt(0).toString(16);
          if (how === 0) return each;
          return `%${how === 1 ? hex : hex.toUpperCase()}`;
        })
        .join(''),
    }));
    fc.assert(
      fc.property(written, ({ plain, encoded }) => {
        const taken = canonicalise(`http://example.com/${plain}`);
        expect(canonicalise(`http://example.com/${encoded}`)).toEqual(taken);
        const swapped = plain.replace(/[az]/, (letter) => letter.toUpperCase());
        if (swapped !== plain) expect(canonicalise(`http://example.com/${swapped}`)).not.toEqual(taken);
      }),
      runs,
    );
  });

  test('a wallet is taken when its checksum holds, and refused with any other digit', () => {
    let taken = 0;
    const digit = fc.constantFrom(...'23456789acdefghjklmnpqrstuvwxyz');
    fc.assert(
      fc.property(wallet, fc.nat(), digit, ({ text, valid }, at, other) => {
        const parsed = canonicalise(text);
        expect(parsed.ok).toBe(valid);
        const indicator = /^bc1/i.test(text) ? text.toLowerCase() : text;
        if (parsed.ok) expect(parsed.value).toEqual({ itype: 'btc', indicator });
        if (parsed.ok) taken += 1;
        const where = 3 + (at % (text.length - 3));
        const altered = text.slice(0, where) + other + text.slice(where + 1);
        if (altered.toLowerCase() !== text.toLowerCase()) expect(canonicalise(altered).ok).toBe(false);
      }),
      runs,
    );
    expect(taken).toBeGreaterThan(500);
  });

  test('IPv6 is written as the URL Standard writes it', () => {
    fc.assert(
      fc.property(ipv6, (text) => {
        const parsed = canonicalise(text);
        if (!parsed.ok || parsed.value.itype === 'ipv4') return;
        expect(`[${parsed.value.indicator}]`).toBe(new URL(`http://[${text}]/`).hostname);
      }),
      runs,
    );
  });

  test('a URL has the host, the port and the user that the URL class reads in it', () => {
    fc.assert(
      fc.property(url, (text) => {
        const parsed = canonicalise(text);
        if (!parsed.ok) return;
        const [ours, theirs] = [new URL(parsed.value.indicator), new URL(text)];
        const mapped = theirs.hostname.startsWith('[::ffff:');
        expect([ours.protocol, mapped || ours.hostname, ours.port, ours.username, ours.password]).toEqual([
          theirs.protocol,
          mapped || theirs.hostname,
          theirs.port,
          theirs.username,
          theirs.password,
        ]);
        expect(decoded(ours.pathname)).toBe(decoded(theirs.pathname));
      }),
      runs,
    );
  });

  test('a defanged form is the plain form', () => {
    const dot = fc.constantFrom('[.]', '(.)', '{.}', '[dot]', '(dot)', '{DOT}', '[.', '.]', '.');
    const at = fc.constantFrom('[at]', '(at)', '{at}', '[@]', '@');
    const scheme = fc.constantFrom('hxxp', 'hXXp', 'h**p', 'htxp', 'http');
    const separator = fc.constantFrom('[:]//', '[://]', '://', ':\\\\');
    fc.assert(
      fc.property(
        name,
        ipv4,
        dot,
        at,
        scheme,
        separator,
        (domain, address, dotMark, atMark, written, between) => {
          const fanged = (text: string) => text.replaceAll('.', dotMark);
          expect(canonicalise(fanged(domain))).toEqual(canonicalise(domain));
          expect(canonicalise(fanged(address))).toEqual(canonicalise(address));
          expect(canonicalise(`name${atMark}${fanged(domain)}`)).toEqual(canonicalise(`name@${domain}`));
          const rest = '/a/B?c=d';
          expect(canonicalise(`${written}s${between}${fanged(domain)}${rest}`)).toEqual(
            canonicalise(`https://${domain}${rest}`),
          );
          expect(canonicalise(`${written}${between}${fanged(address)}:81${rest}`)).toEqual(
            canonicalise(`http://${address}:81${rest}`),
          );
        },
      ),
      runs,
    );
  });

  test('any address with any prefix is a network or names the network that it would be', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), fc.integer({ min: 1, max: 32 }), (address, prefix) => {
        const parsed = canonicalise(`${address}/${prefix}`);
        if (parsed.ok) return;
        const meant = /did you mean (\S+)\?$/.exec(parsed.reason)?.[1] ?? '';
        expect(canonicalise(meant)).toMatchObject({ ok: true, value: { indicator: meant } });
      }),
      runs,
    );
  });
});

describe('the short way to a canonical form', () => {
  const label = fc.oneof(
    fc.stringMatching(/^[a-z0-9_-]{1,8}$/),
    fc.constantFrom(
      'a',
      '1',
      '0x1',
      '0x',
      'xn--a',
      'xn--bcher-kva',
      '-',
      '_',
      'as1',
      'http',
      '255',
      '256',
      '01',
    ),
    fc.constantFrom(62, 63, 64).map((length) => 'b'.repeat(length)),
  );
  const names = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));
  const quads = fc
    .array(fc.constantFrom('0', '1', '9', '10', '99', '100', '199', '249', '255', '256', '260', '00', ''), {
      minLength: 3,
      maxLength: 5,
    })
    .map((octets) => octets.join('.'));
  const digit = fc.constantFrom(...'0123456789abcdef');
  const digests = fc
    .tuple(fc.constantFrom(32, 40, 64, 128), fc.constantFrom(-1, 0, 0, 0, 0, 1))
    .chain(([length, more]) =>
      fc.string({ unit: digit, minLength: length + more, maxLength: length + more }),
    );
  const ports = fc.oneof(
    fc.constantFrom('', '', '', ':', ':0', ':080', ':21', ':80', ':443', ':4430', ':800', ':59999', ':60000'),
    fc.integer({ min: 1, max: 70_000 }).map((port) => `:${port}`),
  );
  const plainUrls = fc
    .tuple(
      fc.constantFrom('http://', 'https://', 'ftp://', 'http:/'),
      fc.constantFrom('', '', '', '', 'u@', ':@'),
      fc.oneof(names, names, quads, host),
      ports,
      fc.oneof(
        fc.string({ unit: fc.integer({ min: 0x20, max: 0x7f }).map((code) => String.fromCharCode(code)) }),
        path,
        fc.constantFrom('', '?a', '#', '/[/]', '/a[.]b', '/%20', '/\\', '\\'),
      ),
    )
    .map(
      ([written, user, to, port, rest]) =>
        `${written}${user}${to}${port}${rest.replace(/^(?![/?#\\])/, '/')}`,
    );
  const canonical = fc.oneof(plainUrls, plainUrls, names, quads, digests, anyIndicator).map((text) => {
    const full = canonicaliseFully(text);
    return full.ok ? full.value.indicator : text;
  });
  const character = fc.oneof(
    fc.constantFrom(...'.:/@#?%\\[](){}-_ \n\0AZaz09x'),
    fc.constantFrom('\u00e9', '\u3002', '\uff0e', '\ufffd', '\ud800', '\u212a', '\u017f', '\u0660', '\u2028'),
  );
  const altered = fc
    .tuple(
      canonical,
      fc.nat(),
      fc.nat(2),
      fc.oneof(character, fc.constantFrom('', 'xn--', '..', 'hxxp', '://')),
    )
    .map(([text, at, cut, inserted]) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + inserted + text.slice(start + cut);
    });

  test('is the full way, for canonical texts and for what lies next to them, whatever is stated', () => {
    const plain = new Map<string, number>();
    let canonicalAll = 0;
    fc.assert(
      fc.property(
        fc.oneof(canonical, altered, altered, anyText),
        fc.option(fc.constantFrom(...itypes), { nil: undefined }),
        (text, stated) => {
          expect(canonicalise(text, stated)).toEqual(canonicaliseFully(text, stated));
          const full = canonicaliseFully(text);
          const found = plainItype(text);
          if (found !== undefined) {
            expect(full).toEqual({ ok: true, value: { itype: found, indicator: text } });
            plain.set(found, (plain.get(found) ?? 0) + 1);
          }
          if (full.ok && full.value.indicator === text) canonicalAll += 1;
        },
      ),
      { numRuns: 30_000 },
    );
    // Each kind was met often, and so were canonical texts that go the full way.
    for (const itype of ['url', 'fqdn', 'ipv4', 'md5', 'sha1', 'sha256', 'sha512']) {
      expect(plain.get(itype) ?? 0).toBeGreaterThan(50);
    }
    expect(canonicalAll).toBeGreaterThan([...plain.values()].reduce((sum, count) => sum + count) + 500);
  });

  test.each([
    ['a host of 253 characters', `${'a.'.repeat(126)}a`, true],
    ['a host of 254 characters', `${'a.'.repeat(126)}ab`, false],
    ['a label of 63 characters', `${'a'.repeat(63)}.com`, true],
    ['a label of 64 characters', `${'a'.repeat(64)}.com`, false],
    ['a last label of 63 characters', `a.${'a'.repeat(63)}`, true],
    ['a last label of 64 characters', `a.${'a'.repeat(64)}`, false],
  ])('knows the limits: %s', (_, name, taken) => {
    for (const text of [name, `http://${name}/`, `https://${name}:8443/x`]) {
      expect(plainItype(text) !== undefined).toBe(taken);
      expect(canonicaliseFully(text).ok).toBe(taken);
    }
  });

  test('knows the length of the longest URL', () => {
    const longest = `http://example.com/${'a'.repeat(8_192 - 19)}`;
    expect([plainItype(longest), canonicaliseFully(longest).ok]).toEqual(['url', true]);
    expect([plainItype(`${longest}a`), canonicaliseFully(`${longest}a`).ok]).toEqual([undefined, false]);
  });
});

describe('valueKey', () => {
  function compareBytes(a: string, b: string): number {
    return Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  test('orders IPv4 addresses as numbers', () => {
    const number = fc.nat(0xffff_ffff);
    const text = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(compareBytes(valueKey('ipv4', text(a)), valueKey('ipv4', text(b)))).toBe(Math.sign(a - b));
      }),
      runs,
    );
  });

  test('all of a network lies between its key and the key of its last address, and nothing else does', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffff_ffff),
        fc.nat(0xffff_ffff),
        fc.integer({ min: 1, max: 32 }),
        (base, other, prefix) => {
          const size = 2 ** (32 - prefix);
          const low = Math.floor(base / size) * size;
          const text = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
          const from = valueKey('ipv4', `${text(low)}/${prefix}`);
          const to = valueKey('ipv4', text(low + size - 1));
          for (const address of [low, low + size - 1, low + (other % size), other, low - 1, low + size]) {
            if (address < 0 || address > 0xffff_ffff) continue;
            const key = valueKey('ipv4', text(address));
            const inRange = compareBytes(key, from) >= 0 && compareBytes(key, to) <= 0;
            expect(inRange).toBe(address >= low && address < low + size);
          }
        },
      ),
      runs,
    );
  });

  test('a name is the beginning of its subdomains and of no other name', () => {
    const neighbour = (parent: string) => [
      `a.${parent}`,
      `a-b.${parent}`,
      `a${parent}`,
      `a-${parent}`,
      parent.replace('.', 'x.'),
    ];
    const pair = name.chain((parent) =>
      fc.tuple(fc.constant(parent), fc.oneof(name, fc.constantFrom(...neighbour(parent)))),
    );
    fc.assert(
      fc.property(pair, ([parent, other]) => {
        const below = other === parent || other.endsWith(`.${parent}`);
        expect(valueKey('fqdn', other).startsWith(valueKey('fqdn', parent))).toBe(below);
        expect(valueKey('url', `http://${other}/`).startsWith(valueKey('fqdn', parent))).toBe(below);
        // The neighbour whose key shares most with the parent's: `example.com` and `example-a.com`.
        const longer = parent.replace(/^[^.]+/, '$&-a');
        expect(valueKey('fqdn', longer).startsWith(valueKey('fqdn', parent))).toBe(false);
      }),
      runs,
    );
  });

  test('a canonical URL is cut around the host that the URL class reads in it', () => {
    fc.assert(
      fc.property(url, (text) => {
        const parsed = canonicalise(text);
        if (!parsed.ok) return;
        const { indicator } = parsed.value;
        const { before, host: cut, after } = splitAtHost(indicator);
        expect(before + cut + after).toBe(indicator);
        expect(cut).toBe(new URL(indicator).hostname);
        expect(before).toMatch(/^[a-z]+:\/\/([^@/?]*@)?$/);
      }),
      runs,
    );
    for (const text of ['HTTP://example.com/', 'example.com', '']) expect(() => splitAtHost(text)).toThrow();
  });

  test('two values never share a key', () => {
    fc.assert(
      fc.property(url, url, (a, b) => {
        const [first, second] = [canonicalise(a), canonicalise(b)];
        if (!first.ok || !second.ok) return;
        const sameKey = valueKey('url', first.value.indicator) === valueKey('url', second.value.indicator);
        expect(sameKey).toBe(first.value.indicator === second.value.indicator);
      }),
      runs,
    );
  });
});

describe('times', () => {
  const latestMs = Date.UTC(9999, 11, 31);

  test('are written as a Date writes them', () => {
    const timeMs = fc.oneof(
      fc.integer({ min: -1e13, max: 3e14 }),
      fc.integer({ min: -8.64e15, max: 8.64e15 }),
      fc.constantFrom(
        0,
        -0,
        -1,
        86_399_999,
        86_400_000,
        253_402_300_799_999,
        253_402_300_800_000,
        0.5,
        8.64e15,
      ),
    );
    fc.assert(
      fc.property(timeMs, (any) => {
        expect(rfc3339(any)).toBe(new Date(any).toISOString());
      }),
      runs,
    );
    expect(() => rfc3339(Number.NaN)).toThrow(RangeError);
    expect(() => rfc3339(8.64e15 + 1)).toThrow(RangeError);
  });

  // A zone in digits is always read in full; `Z` and no zone may be read on the short way.
  test('in UTC, whole or broken, are read as the same times with their zone in digits', () => {
    let taken = 0;
    const written = fc
      .record({
        timeMs: fc.integer({ min: Date.UTC(0, 0, 1), max: latestMs }),
        at: fc.nat(22),
        character: fc.constantFrom(...'0123456789:-. TZtz+'.split('')),
        change: fc.boolean(),
        length: fc.constantFrom(19, 23),
        between: fc.constantFrom('T', ' ', 't'),
      })
      .map(({ timeMs, at, character, change, length, between }) => {
        const text = new Date(timeMs).toISOString().slice(0, length).replace('T', between);
        return change ? text.slice(0, at) + character + text.slice(at + 1) : text;
      });
    fc.assert(
      fc.property(written, (text) => {
        const full = parseTime(`${text}+00:00`, latestMs, 0);
        const short = parseTime(`${text}Z`, latestMs, 0);
        expect([short.ok, short.ok && short.value]).toEqual([full.ok, full.ok && full.value]);
        if (text.length === 19 && full.ok) expect(parseTime(text, latestMs, 0)).toEqual(full);
        if (full.ok) taken += 1;
      }),
      { numRuns: 10_000 },
    );
    expect(taken).toBeGreaterThan(2_000);
  });
});

describe('fields', () => {
  test('text is on one line with single spaces, whichever way it was read', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom(' ', '  ', '\n', '\t', '\u00a0', '\u007f', 'é', '\ufffd', '\ud800', '~'),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }).map((parts) => parts.join('')),
        (text) => {
          const line = text.trim().replace(/\s+/g, ' ');
          const parsed = readText(text, 100);
          expect(parsed.ok).toBe(!/[\p{Cc}\p{Cs}\ufffd]/u.test(line));
          if (parsed.ok) expect(parsed.value).toBe(line);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  test('tags are a sorted set, in whatever order and case they come', () => {
    const tag = fc.stringMatching(/^ ?[a-cA-C0][a-c -]{0,2}$/);
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 6 }), (tags) => {
        const expected = [...new Set(tags.map((text) => text.trim().toLowerCase()))].sort();
        expect(readTags(tags)).toEqual({ ok: true, value: expected });
        expect(readTags(expected)).toEqual({ ok: true, value: expected });
      }),
      runs,
    );
  });
});

// Statements about one key: few values and few stamps, so that ties of every kind are drawn.
const base: Observation = {
  indicator: 'example.com',
  itype: 'fqdn',
  provider: 'reader',
  group: 'everyone',
  tlp: 'amber',
  confidence: 5,
  tags: [],
  count: 1,
  firsttimeMs: 1,
  lasttimeMs: 1,
};
const statement = fc.record(
  {
    tlp: fc.constantFrom('green', 'red'),
    confidence: fc.nat(2),
    tags: fc.constantFrom([], ['a'], ['a', 'b']),
    count: fc.integer({ min: 1, max: 3 }),
    firsttimeMs: fc.nat(5),
    lasttimeMs: fc.integer({ min: 5, max: 9 }),
    expiretimeMs: fc.nat(2),
    description: fc.constantFrom('x', 'y'),
    asn: fc.constantFrom(1, 2),
  },
  { requiredKeys: ['tlp', 'confidence', 'tags', 'count', 'firsttimeMs', 'lasttimeMs'] },
);
const stamp: fc.Arbitrary<Stamp> = fc.record(
  {
    hlc: fc.constantFrom(0n, 1n, 65_536n, 65_537n),
    origin: fc.constantFrom('a'.repeat(32), 'b'.repeat(32)),
  },
  { noNullPrototype: true },
);
const heard = fc.record({
  observation: statement.map((fields): Observation => ({ ...base, ...(fields as Partial<Observation>) })),
  stamp,
});
const { itype, indicator, provider, group } = base;
const key = { itype, indicator, provider, group };
const told = fc.oneof(
  heard.map(({ observation, stamp: of }) => ({ said: { kind: 'observe' as const, body: observation }, of })),
  fc.record({
    said: fc.record({
      kind: fc.constant('retract' as const),
      body: fc.record({ reason: fc.constantFrom('a', 'b') }).map((body) => ({ ...key, ...body })),
    }),
    of: stamp,
  }),
  fc.record({
    said: fc.record({
      kind: fc.constant('sight' as const),
      body: fc
        .record({ count: fc.integer({ min: 1, max: 3 }), timeMs: fc.nat(3) })
        .map((body) => ({ ...key, ...body })),
    }),
    of: stamp,
  }),
);

function mergeAll(all: readonly { said: Statement; of: Stamp }[]): IndicatorRecord | undefined {
  let record: IndicatorRecord | undefined;
  for (const { said, of } of all) record = mergeStatement(record, said, of);
  return record;
}

describe('mergeStatement', () => {
  test('every order of arrival gives the same record, equal stamps included', () => {
    const shuffled = fc
      .array(told, { minLength: 1, maxLength: 8 })
      .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })));
    fc.assert(
      fc.property(shuffled, ([all, permuted]) => {
        expect(mergeAll(permuted)).toStrictEqual(mergeAll(all));
      }),
      runs,
    );
  });

  test('count, times and statement are those of the whole set', () => {
    fc.assert(
      fc.property(fc.array(heard, { minLength: 1, maxLength: 8 }), (all) => {
        const record = mergeAll(
          all.map((each) => ({ said: { kind: 'observe', body: each.observation }, of: each.stamp })),
        );
        const of = (pick: (each: (typeof all)[number]) => number) => all.map(pick);
        expect(record).toMatchObject({
          count: of(({ observation }) => observation.count).reduce((sum, count) => sum + count),
          firsttimeMs: Math.min(...of(({ observation }) => observation.firsttimeMs)),
          lasttimeMs: Math.max(...of(({ observation }) => observation.lasttimeMs)),
          reporttimeMs: Math.max(...of(({ stamp: { hlc } }) => Number(hlc >> 16n))),
        });
        const source = all.find(
          ({ observation, stamp: { hlc, origin } }) =>
            hlc === record?.stamp.hlc &&
            origin === record.stamp.origin &&
            observation.tlp === record.tlp &&
            observation.confidence === record.confidence &&
            observation.description === record.description &&
            observation.expiretimeMs === record.expiretimeMs &&
            observation.asn === record.asn,
        );
        expect(source).toBeDefined();
      }),
      runs,
    );
  });
});

describe('mergeRecords', () => {
  // Any that a snapshot may hold, not only those that come of merging: a peer's stamps may be anything.
  const stated = fc.record({ heard, reporttimeMs: fc.nat(3) }).map(
    ({ heard: { observation, stamp: of }, reporttimeMs }): IndicatorRecord => ({
      ...observation,
      reporttimeMs,
      stamp: of,
    }),
  );
  const merged = fc
    .array(told, { minLength: 1, maxLength: 4 })
    .map((all) => mergeAll(all) as IndicatorRecord);
  const record = fc.oneof(stated, merged);

  function statedBy(of: IndicatorRecord): unknown {
    const { stamp: _, reporttimeMs: __, retracted, ...rest } = of;
    // Without an observation the times are those of the reports.
    const times = of.count === 0 && of.sightings === undefined ? { firsttimeMs: 0, lasttimeMs: 0 } : {};
    return { ...rest, ...times, reason: retracted?.reason };
  }

  test('is commutative, associative and idempotent, equal stamps included', () => {
    fc.assert(
      fc.property(record, record, record, (a, b, c) => {
        const both = mergeRecords(a, b);
        expect(mergeRecords(b, a)).toStrictEqual(both);
        expect(mergeRecords(mergeRecords(a, b), c)).toStrictEqual(mergeRecords(a, mergeRecords(b, c)));
        expect(mergeRecords(a, a)).toStrictEqual(a);
        expect(mergeRecords(both, b)).toStrictEqual(both);
      }),
      { numRuns: 5_000 },
    );
  });

  test('what is said anew of a record leaves it nothing more to say, and loses nothing of what was known', () => {
    fc.assert(
      fc.property(record, fc.option(record, { nil: undefined }), (of, known) => {
        const anew = saysMore(of, known);
        if (anew.length === 0) {
          expect(statedBy(mergeRecords(known ?? of, of))).toStrictEqual(known && statedBy(known));
          return;
        }
        let after = known;
        for (const [i, said] of anew.entries())
          after = mergeStatement(after, said, { hlc: (9n << 16n) + BigInt(i), origin: 'c'.repeat(32) });
        expect(saysMore(of, after)).toEqual([]);
        if (known !== undefined) expect(saysMore(known, after)).toEqual([]);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('parseObservation', () => {
  const nowMs = Date.UTC(2026, 6, 9);
  const defaults = { ...standardDefaults, provider: 'reader' };
  const fieldNames = ['indicator', 'itype', 'provider', 'group', 'tlp', 'tags', 'confidence', 'count'];
  const otherNames = [
    'firsttime',
    'lasttime',
    'expiretime',
    'description',
    'reference',
    'portlist',
    'protocol',
  ];
  const lastNames = ['rdata', 'asn', 'asn_desc', 'cc', 'latitude', 'longitude'];
  const fieldName = fc.constantFrom(...fieldNames, ...otherNames, ...lastNames);
  const value = fc.oneof(
    fc.jsonValue(),
    anyText,
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map(String),
  );

  test('answers any JSON with a value or a reason of bounded length', () => {
    const row = fc.oneof(fc.jsonValue(), anyText, fc.dictionary(fieldName, value));
    const indicatorRow = fc
      .tuple(anyIndicator, fieldName, value)
      .map(([text, key, field]) => ({ indicator: text, [key]: field }));
    fc.assert(
      fc.property(fc.oneof(row, indicatorRow), (any) => {
        const parsed = parseObservation(any, defaults, nowMs);
        if (parsed.ok) expect(parsed.value.firsttimeMs).toBeLessThanOrEqual(parsed.value.lasttimeMs);
        else expect(parsed.reason.length).toBeLessThan(1_000);
      }),
      { numRuns: 10_000 },
    );
  });

  test('what it accepts is equal to its own copy in JSON', () => {
    const indicatorRow = fc
      .tuple(anyIndicator, fieldName, value)
      .map(([text, key, field]) => ({ indicator: text, [key]: field }));
    fc.assert(
      fc.property(indicatorRow, (row) => {
        const parsed = parseObservation(row, defaults, nowMs);
        if (parsed.ok) expect(JSON.parse(JSON.stringify(parsed.value))).toStrictEqual(parsed.value);
      }),
      runs,
    );
  });
});
