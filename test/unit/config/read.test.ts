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
      discovery: ['beacon', 'gossip'],
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

test.each(['TOCSIN_MESH_KEY', 'TOCSIN_MESH_KEY_PREVIOUS'])(
  '%s is refused, as this release would run in clear what was to be encrypted',
  async (variable) => {
    const [problem] = await problemsOf({ env: { [variable]: 'x'.repeat(43) } });
    expect(problem).toMatch(
      new RegExp(`^${variable} is set, but this release cannot encrypt the mesh yet\\.`),
    );
    expect(problem).not.toContain('xxx');
  },
);

test('a mesh key in the file is refused as well', async () => {
  const file = await fileWith('mesh_key: abc\n');
  expect(await problemsOf({ file })).toEqual([expect.stringContaining('cannot encrypt the mesh yet')]);
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
