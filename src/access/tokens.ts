import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { replaceFile } from '../replace-file.ts';

/** What a token may do; `admin` may do everything. */
export const scopes = ['read', 'feed', 'write', 'stream', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Who asks. The name is the provider of what it submits. */
export type Principal = { readonly name: string; readonly scopes: ReadonlySet<Scope> };

type Token = Principal & { readonly sha256: Uint8Array };

export type Access = {
  readonly tokens: readonly Token[];
  /** Only at the first start: the admin token, to be shown once. */
  readonly newAdminToken?: string;
  /** For commands of the same user on the same machine; another one at every start. */
  readonly localToken: string;
};

const tokensFile = 'tokens.json';
const secretBytes = 32;
const secretCharactersMin = 16;
const tokensMax = 1_000;
const namePattern = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * Reads a node's tokens; at the first start it makes the admin token. What is kept is the SHA-256 of a token: it is random
 * and long, so a slow hash would protect nothing. `fleet` are tokens that came by TOCSIN_TOKENS.
 */
export async function loadAccess(
  directory: string,
  fleet: readonly FleetToken[],
  randomBytes: (length: number) => Uint8Array,
): Promise<Access> {
  const path = join(directory, tokensFile);
  const kept = await readTokens(path);
  const localToken = newToken(randomBytes);
  const given = fleet.map(({ name, secret, scopes: granted }) => tokenOf(name, secret, granted));
  const local = tokenOf('local', localToken, ['admin']);
  if (kept !== undefined) return { tokens: [...kept, ...given, local], localToken };
  const newAdminToken = newToken(randomBytes);
  const admin = tokenOf('admin', newAdminToken, ['admin']);
  const row = {
    name: admin.name,
    scopes: [...admin.scopes],
    sha256: Buffer.from(admin.sha256).toString('hex'),
  };
  await replaceFile(path, `${JSON.stringify({ tokens: [row] }, undefined, 2)}\n`);
  return { tokens: [admin, ...given, local], newAdminToken, localToken };
}

/** A token that a fleet shares by setting. */
export type FleetToken = {
  readonly name: string;
  readonly secret: string;
  readonly scopes: readonly Scope[];
};

/** Reads TOCSIN_TOKENS: `name=secret:scope+scope,name=...`. The refusal never repeats a secret. */
export function parseFleetTokens(text: string): Parsed<readonly FleetToken[], 'bad-tokens'> {
  const tokens: FleetToken[] = [];
  for (const [i, part] of text.split(',').entries()) {
    const entry = part.trim();
    if (entry === '') continue;
    const equals = entry.indexOf('=');
    const colon = entry.lastIndexOf(':');
    const name = entry.slice(0, Math.max(equals, 0));
    const where = `entry ${i + 1}`;
    if (equals < 0 || colon < equals || !namePattern.test(name)) {
      return refuse('bad-tokens', `${where} is not name=secret:scope+scope`);
    }
    const secret = entry.slice(equals + 1, colon);
    if (secret.length < secretCharactersMin) {
      return refuse(
        'bad-tokens',
        `${where} (${name}) has a secret of fewer than ${secretCharactersMin} characters`,
      );
    }
    const granted = entry.slice(colon + 1).split('+');
    const unknown = granted.filter((scope) => !isScope(scope));
    if (unknown.length > 0) {
      return refuse(
        'bad-tokens',
        `${where} (${name}) names the scope "${unknown[0]}"; allowed are ${scopes.join(', ')}`,
      );
    }
    tokens.push({ name, secret, scopes: granted.filter(isScope) });
  }
  return tokens.length > tokensMax
    ? refuse('bad-tokens', `${tokens.length} tokens; allowed are ${tokensMax}`)
    : accept(tokens);
}

/** Who an Authorization header speaks for: `Bearer <token>`, and as CIF's clients send it `Token token=<token>` or the bare token. */
export function authenticate({ tokens }: Access, header: string | undefined): Principal | undefined {
  if (header === undefined) return undefined;
  const text = header.trim().replace(/^(?:bearer\s+|token\s+token=)/i, '');
  const sha256 = hashOf(text);
  let found: Principal | undefined;
  // All of them, each in constant time: how long it takes tells nothing of which one was close.
  for (const token of tokens) if (timingSafeEqual(token.sha256, sha256)) found = token;
  return found;
}

export function may(principal: Principal, ...anyOf: readonly Scope[]): boolean {
  return principal.scopes.has('admin') || anyOf.some((scope) => principal.scopes.has(scope));
}

function tokenOf(name: string, secret: string, granted: readonly Scope[]): Token {
  return { name, scopes: new Set(granted), sha256: hashOf(secret) };
}

function newToken(randomBytes: (length: number) => Uint8Array): string {
  return `toc_${Buffer.from(randomBytes(secretBytes)).toString('base64url')}`;
}

function hashOf(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

function isScope(text: string): text is Scope {
  return (scopes as readonly string[]).includes(text);
}

async function readTokens(path: string): Promise<readonly Token[] | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { tokens } = JSON.parse(text) as { tokens: { name: string; scopes: string[]; sha256: string }[] };
    return tokens.map(({ name, scopes: granted, sha256 }) => {
      const hash = Buffer.from(sha256, 'hex');
      if (hash.length !== 32) throw new TypeError('a hash is not SHA-256');
      return { name, scopes: new Set(granted.filter(isScope)), sha256: hash };
    });
  } catch (cause) {
    throw new Error(`${path} cannot be read as tokens: restore it, or delete it to get a new admin token`, {
      cause,
    });
  }
}
