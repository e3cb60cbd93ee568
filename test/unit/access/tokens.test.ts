import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  authenticate,
  loadAccess,
  may,
  type Principal,
  parseFleetTokens,
  type Scope,
  scopes,
} from '../../../src/access/tokens.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tocsin-access-'));
});
afterEach(() => rm(directory, { recursive: true }));

const load = (fleet: Parameters<typeof loadAccess>[1] = []) => loadAccess(directory, fleet, randomBytes);

describe('the admin token', () => {
  test('is made at the first start, given once, and works after a restart', async () => {
    const first = await load();
    expect(first.newAdminToken).toMatch(/^toc_[\w-]{43}$/);
    const second = await load();
    expect(second.newAdminToken).toBeUndefined();
    const admin = authenticate(second, `Bearer ${first.newAdminToken}`);
    expect(admin?.name).toBe('admin');
    expect(admin && may(admin, 'write')).toBe(true);
  });

  test('is kept as a hash, in a file that nobody else can read', async () => {
    const { newAdminToken = '', localToken } = await load();
    const path = join(directory, 'tokens.json');
    const kept = await readFile(path, 'utf8');
    expect(kept).not.toContain(newAdminToken);
    expect(kept).not.toContain(newAdminToken.slice(4));
    expect(kept).not.toContain(localToken);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test.each(['', '{', '{}', '{"tokens":[{"name":"admin","scopes":["admin"],"sha256":"00"}]}'])(
    'a file of %j stops the start, and the message says what to do',
    async (text) => {
      await writeFile(join(directory, 'tokens.json'), text);
      await expect(load()).rejects.toThrow(/tokens\.json.*restore it, or delete it/);
    },
  );
});

test('the local token is another one at every start, and lasts no longer', async () => {
  const first = await load();
  const second = await load();
  expect(second.localToken).not.toBe(first.localToken);
  expect(authenticate(second, `Bearer ${second.localToken}`)?.name).toBe('local');
  expect(authenticate(second, `Bearer ${first.localToken}`)).toBeUndefined();
});

describe('an Authorization header', () => {
  const secret = 'a secret of a fleet';
  const fleet = [{ name: 'sensor', secret, scopes: ['write'] as const }];

  test.each([`Bearer ${secret}`, `bearer  ${secret}`, secret, ` ${secret} `, `Token token=${secret}`])(
    '%j speaks for the token',
    async (header) => {
      expect(authenticate(await load(fleet), header)?.name).toBe('sensor');
    },
  );

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Basic ${secret}`,
    `Bearer ${secret}x`,
    secret.slice(1),
    'Bearer toc_',
  ])('%j speaks for nobody', async (header) => {
    expect(authenticate(await load(fleet), header)).toBeUndefined();
  });

  test('a hash out of the file is no token', async () => {
    await load();
    const kept = JSON.parse(await readFile(join(directory, 'tokens.json'), 'utf8')) as {
      tokens: { sha256: string }[];
    };
    expect(authenticate(await load(), `Bearer ${kept.tokens[0]?.sha256}`)).toBeUndefined();
  });
});

describe('a scope', () => {
  const principal = (...granted: Scope[]): Principal => ({ name: 'test', scopes: new Set(granted) });

  test('allows itself and nothing else; one of several is enough', () => {
    expect(may(principal('read'), 'read')).toBe(true);
    expect(may(principal('read'), 'write')).toBe(false);
    expect(may(principal('feed'), 'read', 'feed')).toBe(true);
    expect(may(principal(), 'read')).toBe(false);
    expect(may(principal('write'), 'admin')).toBe(false);
  });

  test.each(scopes)('admin may %s', (scope) => {
    expect(may(principal('admin'), scope)).toBe(true);
  });
});

describe('TOCSIN_TOKENS', () => {
  test('names tokens with their secrets and scopes; a secret may hold = and :', () => {
    const parsed = parseFleetTokens(
      ' sensor=0123456789abcdef:write , desk=aa=bb:cc-0123456789:read+feed+stream,',
    );
    expect(parsed).toEqual({
      ok: true,
      value: [
        { name: 'sensor', secret: '0123456789abcdef', scopes: ['write'] },
        { name: 'desk', secret: 'aa=bb:cc-0123456789', scopes: ['read', 'feed', 'stream'] },
      ],
    });
    expect(parseFleetTokens('')).toEqual({ ok: true, value: [] });
  });

  test.each([
    ['sensor', /entry 1 is not name=secret:scope\+scope/],
    ['sensor=0123456789abcdef', /entry 1 is not name=secret/],
    ['=0123456789abcdef:read', /entry 1 is not name=secret/],
    ['my sensor=0123456789abcdef:read', /entry 1 is not name=secret/],
    ['a=0123456789abcdef:read,sensor=0123456789abcde:read', /entry 2 \(sensor\).*fewer than 16/],
    ['sensor=0123456789abcdef:', /scope "".*read, feed, write, stream, admin/],
    ['sensor=0123456789abcdef:read+root', /scope "root".*read, feed, write, stream, admin/],
  ])('%j is refused, and the reason does not repeat the secret', (text, reason) => {
    const parsed = parseFleetTokens(text);
    expect(parsed).toMatchObject({ ok: false, code: 'bad-tokens', reason: expect.stringMatching(reason) });
    expect(JSON.stringify(parsed)).not.toContain('0123456789');
  });

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'ab=:+,r e') }),
        (text) => void parseFleetTokens(text),
      ),
    );
  });
});
