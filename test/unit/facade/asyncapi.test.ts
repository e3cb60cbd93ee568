import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { asyncapiDocument } from '../../../src/facade/asyncapi.ts';
import { openRooms } from '../../support/rooms.ts';

type Json = Readonly<Record<string, unknown>>;

async function readDocument() {
  await using rooms = await openRooms();
  const response = await rooms.app.request('http://node.example:8480/asyncapi.json');
  expect(response.status).toBe(200);
  return response.text();
}

test('the document of the streams is open, and valid AsyncAPI 3 without a remark', async () => {
  const validator = join(import.meta.dirname, '../../support/validate-asyncapi.mjs');
  const { stdout, stderr } = spawnSync(process.execPath, [validator], { input: await readDocument() });
  expect(stderr.toString()).toBe('');
  const { version, diagnostics, servers, channels } = JSON.parse(stdout.toString());
  // It is of version 3.0, and the parser tells that there is a newer one.
  expect(diagnostics.filter((one: Json) => one['code'] !== 'asyncapi-latest-version')).toEqual([]);
  expect(version).toBe('3.0.0');
  expect(servers).toEqual([
    ['http', 'http', 'node.example:8480'],
    ['websocket', 'ws', 'node.example:8480'],
    ['publisher', 'zmq', '127.0.0.1:2'],
    ['pull', 'zmq', '{host}:{port}'],
  ]);
  expect(channels).toEqual([
    '/stream',
    '/stream/ndjson',
    '/stream/ws',
    '{topic}/{itype}/{tlp}/',
    'search/{itype}/',
    null,
    null,
  ]);
});

test('it is served over TLS as it was asked for', () => {
  const facts = {
    version: '1',
    httpHost: 'node.example',
    isHttps: true,
    publisher: 'tcp://[::1]:8481',
    pull: 'tcp://[::1]:8482',
  };
  expect(asyncapiDocument(facts)).toMatchObject({
    servers: {
      http: { protocol: 'https' },
      websocket: { protocol: 'wss' },
      publisher: { host: '[::1]:8481' },
      pull: { host: '[::1]:8482' },
    },
  });
});

test('the documents link to each other', async () => {
  await using rooms = await openRooms();
  const openapi = (await (await rooms.app.request('/openapi.json')).json()) as Json;
  expect(openapi).toMatchObject({ externalDocs: { url: '/asyncapi.json' } });
  expect(JSON.stringify(openapi['info'])).toContain('/asyncapi.json');
});
