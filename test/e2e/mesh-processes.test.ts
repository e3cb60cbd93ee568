import { join } from 'node:path';
import {
  defaultTiming,
  gossipDiscovery,
  type Mesh,
  type MeshEvent,
  type PeerTiming,
  startMesh,
} from 'tocsin/mesh';
import { expect, test } from 'vitest';
import type { MeshChildOptions } from '../support/mesh-child.ts';
import { type LineProcess, spawnLines } from '../support/process.ts';

const child = join(import.meta.dirname, '../support/mesh-child.ts');
/** The defaults, less by a factor of ten, for what has to be waited for. */
const timing: PeerTiming = {
  ...defaultTiming,
  evasiveAfterMs: 500,
  silentAfterMs: 1_500,
  expiredAfterMs: 3_000,
  pingEveryMs: 200,
};
/** Where a process is busy for most of the time. */
const patient: PeerTiming = { ...timing, evasiveAfterMs: 1_000, silentAfterMs: 4_000, expiredAfterMs: 6_000 };

function startChild(options: MeshChildOptions, descriptorsMax?: number): Promise<LineProcess> {
  const node = `exec "${process.execPath}" --import tsx --conditions=tocsin-source "${child}" "$1"`;
  const limit = descriptorsMax === undefined ? '' : `ulimit -n ${descriptorsMax}; `;
  return spawnLines('bash', ['-c', `${limit}${node}`, 'bash', JSON.stringify(options)]);
}

async function startSeed(
  patience = timing,
): Promise<{ readonly mesh: Mesh; readonly seeds: readonly string[] }> {
  const mesh = await startMesh({
    name: 'seed',
    discovery: [gossipDiscovery({ bind: 'tcp://127.0.0.1:*', seeds: [] })],
    timing: patience,
  });
  return { mesh, seeds: [mesh.discoveryEndpoints.get('gossip') ?? ''] };
}

function told(mesh: Mesh): MeshEvent[] {
  const events: MeshEvent[] = [];
  mesh.subscribe((event) => {
    if (event.kind !== 'whisper') events.push(event);
  });
  return events;
}

function until(isSo: () => boolean, deadlineMs = 20_000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      if (!isSo() && performance.now() < endMs) return;
      clearInterval(timer);
      if (isSo()) resolve();
      else reject(new Error(`not so after ${deadlineMs} ms`));
    }, 20);
  });
}

test('a suspended process is missed by others, takes none of them for gone when it goes on, and is met anew', {
  timeout: 60_000,
}, async () => {
  const { mesh, seeds } = await startSeed();
  await using _ = mesh;
  const events = told(mesh);
  await using other = await startChild({ name: 'other', seeds, timing });
  await using sleeper = await startChild({ name: 'sleeper', seeds, timing });
  const isThere = (name: string) => mesh.peers().some((peer) => peer.ready && peer.name === name);
  await until(() => isThere('other') && isThere('sleeper'));
  await sleeper.lines(2, /peer-entered/);

  process.kill(sleeper.pid, 'SIGSTOP');
  await until(() => events.some((event) => event.kind === 'peer-exited' && event.name === 'sleeper'));
  expect(events).toContainEqual(expect.objectContaining({ kind: 'peer-silent', name: 'sleeper' }));
  process.kill(sleeper.pid, 'SIGCONT');
  await until(() => isThere('sleeper'));
  await until(() => isThere('other'));
  // It starts over with those that gave it up, and never gives up one itself.
  await sleeper.line(/"kind":"counters"/);
  expect(sleeper.output('stdout').filter((line) => /expired|peer-silent/.test(line))).toEqual([]);
  expect(other.output('stdout').filter((line) => /"name":"seed","reason"/.test(line))).toEqual([]);
});

test('a node that runs out of file descriptors lives, refuses to dial, counts it, and keeps the peers that it has', {
  timeout: 60_000,
}, async () => {
  const { mesh, seeds } = await startSeed();
  await using _ = mesh;
  await using poor = await startChild({ name: 'poor', seeds, timing, phantoms: 200 }, 100);
  await poor.line(/"no-descriptors":\d+/, { deadlineMs: 20_000 });
  await until(() => mesh.peers().some((peer) => peer.ready && peer.name === 'poor'));
  // It is asked, and answers, for longer than a peer that does not is kept.
  const events = told(mesh);
  await poor.lines(5, /"kind":"counters"/);
  expect(events.filter(({ kind }) => kind === 'peer-exited')).toEqual([]);
});

test('a peer that floods costs no other peer its life, and no memory without bound', {
  timeout: 60_000,
}, async () => {
  const { mesh, seeds } = await startSeed(patient);
  await using _ = mesh;
  const flooded = { messages: 0 };
  mesh.subscribe((event) => {
    if (event.kind !== 'whisper') return;
    flooded.messages++;
    // Slower than what comes.
    const endMs = performance.now() + 1;
    while (performance.now() < endMs);
  });
  await using quiet = await startChild({ name: 'quiet', seeds, timing: patient });
  await until(() => mesh.peers().some((peer) => peer.ready && peer.name === 'quiet'));
  const events = told(mesh);
  await using flooder = await startChild({
    name: 'flooder',
    seeds,
    timing: patient,
    flood: { name: 'seed', bytes: 64 * 1024 },
  });
  await flooder.line(/outbox-full/, { deadlineMs: 20_000 });
  const before = process.memoryUsage.rss();
  const already = quiet.output('stdout').filter((line) => line.includes('"kind":"counters"')).length;
  await quiet.lines(already + 8, /"kind":"counters"/, { deadlineMs: 20_000 });
  expect(flooded.messages).toBeGreaterThan(1_000);
  expect(events.filter(({ kind }) => kind === 'peer-exited' || kind === 'peer-silent')).toEqual([]);
  expect(quiet.output('stdout').filter((line) => /peer-exited|peer-silent/.test(line))).toEqual([]);
  // libzmq holds 1,000 messages of 64 KiB for a connection, and the kernel some.
  expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
});
