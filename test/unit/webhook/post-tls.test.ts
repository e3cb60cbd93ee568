import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allowedFrom } from '../../../src/webhook/guard.ts';
import { createPoster } from '../../../src/webhook/post.ts';
import { programsUsable } from '../../support/requirement.ts';
import { manualClock } from '../../support/rooms.ts';
import { answering, startReceiver } from '../../support/webhook-receiver.ts';

/** A certificate that nobody else trusts. */
function selfSigned(): { readonly key: string; readonly cert: string } {
  const directory = mkdtempSync(join(tmpdir(), 'tocsin-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const subject = ['-subj', '/CN=hooks.example.com', '-addext', 'subjectAltName=DNS:hooks.example.com'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', key, '-out', cert],
    { stdio: 'ignore' },
  );
  const pair = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  rmSync(directory, { recursive: true });
  return pair;
}

describe.skipIf(!programsUsable('openssl'))('https', () => {
  const names: string[] = [];
  let location: string | undefined;
  let port = 0;
  let close: () => void = () => undefined;

  beforeEach(async () => {
    location = undefined;
    names.length = 0;
    const server = createServer(selfSigned(), (request, response) => {
      names.push(String((request.socket as TLSSocket & { servername?: string | false }).servername));
      request.resume();
      if (location === undefined) response.writeHead(200).end();
      else response.writeHead(307, { location }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    close = () => {
      server.closeAllConnections();
      server.close();
    };
  });

  afterEach(() => close());

  const { post } = createPoster({
    allowed: allowedFrom(['127.0.0.1']),
    resolve: async () => ['127.0.0.1'],
    clock: manualClock(),
  });

  async function trusting<T>(work: () => Promise<T>): Promise<T> {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      return await work();
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
  }

  const message = () => ({ url: `https://hooks.example.com:${port}/`, headers: {}, body: '{}' });

  test('a certificate that is not trusted fails', async () => {
    expect(await post(message())).toMatchObject({ kind: 'failed', reason: /self-signed/ });
  });

  test('the name, not the pinned address, is what TLS is told', async () => {
    expect(await trusting(() => post(message()))).toMatchObject({ status: 200 });
    expect(names).toEqual(['hooks.example.com']);
  });

  test('a redirect from https to http is refused', async () => {
    await using plain = await startReceiver(answering(200));
    location = plain.url;
    expect(await trusting(() => post(message()))).toMatchObject({
      kind: 'refused',
      reason: /from https to http:\/\/127\.0\.0\.1/,
    });
    expect(plain.received).toEqual([]);
  });
});
