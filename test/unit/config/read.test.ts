import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { configLimits } from '../../../src/config/limits.ts';
import { configure, problemsOf } from './support.ts';

let directory: string;
let files = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tocsin-config-'));
});

afterAll(() => rm(directory, { recursive: true }));

async function fileWith(text: string): Promise<string> {
  files += 1;
  const file = join(directory, `${files}.yaml`);
  await writeFile(file, text);
  return file;
}

test('without any source every setting has its default and none is set by hand', async () => {
  const validated = await configure({});
  expect(validated).toMatchObject({
    ok: true,
    warnings: [],
    config: {
      dataDir: undefined,
      httpHost: '127.0.0.1',
      httpPort: 8480,
      streamPort: 8481,
      meshPort: 0,
      seeds: [],
      discovery: ['beacon', 'gossip', 'dns'],
      beaconPort: 5670,
      insecureMesh: false,
      logLevel: 'info',
    },
  });
  expect(validated.ok && [...validated.config.setByHand]).toEqual([]);
});

test('a flag wins over a variable, a variable over the file, the file over the default', async () => {
  const file = await fileWith('http_port: 1001\nstream_port: 1002\nmesh_port: 1003\n');
  const validated = await configure({
    flags: { httpPort: '3001' },
    env: { TOCSIN_HTTP_PORT: '2001', TOCSIN_STREAM_PORT: '2002' },
    file,
  });
  expect(validated).toMatchObject({
    ok: true,
    config: { httpPort: 3001, streamPort: 2002, meshPort: 1003, beaconPort: 5670 },
  });
  expect(validated.ok && [...validated.config.setByHand].sort()).toEqual([
    'httpPort',
    'meshPort',
    'streamPort',
  ]);
});

test('TOCSIN_CONFIG names the file when no flag does', async () => {
  const file = await fileWith(
    'name: alpha\nseeds:\n  - tcp://192.0.2.1:5671\n  - tcp://[2001:db8::1]:5671\n',
  );
  expect(await configure({ env: { TOCSIN_CONFIG: file } })).toMatchObject({
    ok: true,
    config: { name: 'alpha', seeds: ['tcp://192.0.2.1:5671', 'tcp://[2001:db8::1]:5671'] },
  });
});

test('an empty variable is one that is not set', async () => {
  expect(await configure({ env: { TOCSIN_HTTP_PORT: '', TOCSIN_MESH_KEY: '' } })).toMatchObject({
    ok: true,
    config: { httpPort: 8480 },
  });
});

test('a mistyped variable is refused with the one that was meant', async () => {
  expect(await problemsOf({ env: { TOCSIN_HTPP_PORT: '8480' } })).toEqual([
    'TOCSIN_HTPP_PORT is no variable of Tocsin. Did you mean TOCSIN_HTTP_PORT? `tocsin start --help` lists them.',
  ]);
});

test('the variables that Kubernetes sets for a Service named tocsin are no typing errors', async () => {
  const env = {
    TOCSIN_SERVICE_HOST: '192.0.2.9',
    TOCSIN_SERVICE_PORT_WEB: '8480',
    TOCSIN_PORT: 'tcp://192.0.2.9:8480',
    TOCSIN_PORT_8480_TCP_ADDR: '192.0.2.9',
  };
  expect(await problemsOf({ env })).toEqual([]);
});

const [key, other] = ['x'.repeat(42), 'y'.repeat(42)].map((text) => `${text}A`);

test('a mesh key is 32 bytes, from the environment or the file', async () => {
  expect(await configure({ env: { TOCSIN_MESH_KEY: key, TOCSIN_MESH_KEY_PREVIOUS: other } })).toMatchObject({
    ok: true,
    config: { meshKey: expect.objectContaining({ length: 32 }), meshKeyPrevious: expect.anything() },
  });
  expect(await configure({ file: await fileWith(`mesh_key: ${key}\n`) })).toMatchObject({ ok: true });
});

test.each(['TOCSIN_MESH_KEY', 'TOCSIN_MESH_KEY_PREVIOUS'])(
  '%s that is no key is refused unshown',
  async (variable) => {
    const [problem] = await problemsOf({ env: { [variable]: 'xxxxxxxx' } });
    expect(problem).toBe(
      `${variable} is not readable: a key of 43 characters as \`tocsin keygen\` prints it is allowed.`,
    );
  },
);

test('a previous key without a key, or the same as the key, is refused', async () => {
  expect(await problemsOf({ env: { TOCSIN_MESH_KEY_PREVIOUS: key } })).toEqual([
    expect.stringContaining('TOCSIN_MESH_KEY is not'),
  ]);
  expect(await problemsOf({ env: { TOCSIN_MESH_KEY: key, TOCSIN_MESH_KEY_PREVIOUS: key } })).toEqual([
    expect.stringContaining('is the key of the mesh itself'),
  ]);
});

test('with a key the mesh may bind any address', async () => {
  const flags = { meshHost: '192.0.2.1' };
  expect(await problemsOf({ flags })).toEqual([expect.stringContaining('tocsin keygen')]);
  expect(await configure({ flags, env: { TOCSIN_MESH_KEY: key } })).toMatchObject({ ok: true, warnings: [] });
});

test('an unknown key of the file is refused with the one that was meant', async () => {
  const file = await fileWith('htp_port: 1\n');
  expect(await problemsOf({ file })).toEqual([
    `htp_port in ${file} is no setting of Tocsin. Did you mean http_port?`,
  ]);
});

test.each([
  ['broken YAML', 'name: [unclosed\n', 'is no YAML:'],
  ['a key twice', 'name: a\nname: b\n', 'is no YAML:'],
  ['a list', '- name\n', 'must hold lines of `key: value`'],
  [
    'too much',
    `name: ${'a'.repeat(configLimits.fileBytesMax)}`,
    `is larger than ${configLimits.fileBytesMax} bytes`,
  ],
])('a file with %s is refused in one sentence', async (_what, text, expected) => {
  const problems = await problemsOf({ file: await fileWith(text) });
  expect(problems).toEqual([expect.stringContaining(expected)]);
  expect(problems[0]).not.toContain('\n');
});

test('an empty file holds no settings', async () => {
  expect(await problemsOf({ file: await fileWith('# nothing\n') })).toEqual([]);
});

test('a file that is not there is named', async () => {
  const file = join(directory, 'absent.yaml');
  expect(await problemsOf({ file })).toEqual([expect.stringContaining(file)]);
});
