import { expect, test } from 'vitest';
import { keepResolving } from '../../../mesh/discovery/resolve.ts';
import { type NamedSeed, parseSeed } from '../../../mesh/discovery/seeds.ts';
import type { HostPort } from '../../../mesh/endpoint.ts';
import { seededRandom } from '../../../mesh/random.ts';
import { simulatedClock } from '../../../mesh/transport/simulated.ts';

function named(text: string): NamedSeed {
  const seed = parseSeed(text);
  if (!seed.ok || seed.value.kind === 'hub') throw new Error(text);
  return seed.value;
}

/** Name servers that a test fills, and when they were asked. */
function start(...seeds: readonly string[]) {
  const clock = simulatedClock(0);
  const hosts = new Map<string, readonly string[] | string>();
  const services = new Map<string, readonly HostPort[] | string>();
  const askedAtMs: number[] = [];
  const answers: (readonly string[])[] = [];
  const failures: string[] = [];
  const state = { isFound: false };
  async function answer<Value>(records: ReadonlyMap<string, Value | string>, name: string): Promise<Value> {
    const found = records.get(name) ?? 'ENOTFOUND';
    if (typeof found === 'string') throw Object.assign(new Error(found), { code: found });
    return found;
  }
  const timer = keepResolving(seeds.map(named), {
    clock,
    random: seededRandom(1),
    names: {
      addresses(name) {
        askedAtMs.push(clock.monotonicMs());
        return answer(hosts, name);
      },
      services: (name) => answer(services, name),
    },
    isFound: () => state.isFound,
    onAnswer: (_, endpoints) => answers.push(endpoints),
    onFailed: (reason) => failures.push(reason),
  });
  async function runFor(ms: number): Promise<void> {
    const endMs = clock.monotonicMs() + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if ((clock.nextMs() ?? Number.POSITIVE_INFINITY) > endMs) return;
      clock.step();
    }
  }
  return { clock, hosts, services, askedAtMs, answers, failures, state, timer, runFor };
}

function gaps(timesMs: readonly number[]): readonly number[] {
  return timesMs.slice(1).map((atMs, i) => atMs - (timesMs[i] ?? 0));
}

test('a name is asked sooner while nobody is found, with a back-off that is jittered and has a cap', async () => {
  const dns = start('dns://mesh.test:5671');
  await dns.runFor(10 * 60_000);
  const waited = gaps(dns.askedAtMs);
  [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].forEach((meanMs, i) => {
    expect(waited[i]).toBeGreaterThanOrEqual(meanMs * 0.8);
    expect(waited[i]).toBeLessThanOrEqual(meanMs * 1.2);
  });
  expect(new Set(waited).size).toBe(waited.length);
  expect(new Set(dns.failures)).toEqual(new Set(['no-such-name']));
});

test('once a hub is found the name is asked every 30 s, and at once sooner again when all are lost', async () => {
  const dns = start('dns://mesh.test:5671');
  dns.hosts.set('mesh.test', ['192.0.2.1', '2001:db8::1']);
  dns.state.isFound = true;
  await dns.runFor(5 * 60_000);
  expect(dns.answers[0]).toEqual(['tcp://192.0.2.1:5671', 'tcp://[2001:db8::1]:5671']);
  expect(gaps(dns.askedAtMs).every((ms) => ms >= 24_000 && ms <= 36_000)).toBe(true);
  dns.state.isFound = false;
  await dns.runFor(36_000);
  dns.askedAtMs.length = 0;
  await dns.runFor(4_000);
  expect(dns.askedAtMs.length).toBeGreaterThanOrEqual(1);
});

test('a name server that is away is told apart from a name that does not exist, and neither ends the asking', async () => {
  const dns = start('dns://mesh.test:5671');
  dns.hosts.set('mesh.test', 'EAI_AGAIN');
  await dns.runFor(2_000);
  expect(dns.failures).toEqual(['no-such-name', 'no-answer']);
  dns.hosts.set('mesh.test', ['192.0.2.1']);
  await dns.runFor(60_000);
  expect(dns.answers[0]).toEqual(['tcp://192.0.2.1:5671']);
});

test('services name hosts, each with its port; one that has no address does not spoil the others', async () => {
  const dns = start('dns://_gossip._tcp.mesh.test');
  dns.hosts.set('a.test', ['192.0.2.1']);
  dns.services.set('_gossip._tcp.mesh.test', [
    { host: 'gone.test', port: 1 },
    { host: 'a.test', port: 5671 },
  ]);
  await dns.runFor(2_000);
  expect(dns.answers).toEqual([['tcp://192.0.2.1:5671']]);
});

test('stopping leaves no timer, also in the middle of a question', async () => {
  const dns = start('dns://mesh.test:5671', 'dns://_gossip._tcp.mesh.test');
  await dns.runFor(3_000);
  dns.timer.stop();
  await dns.runFor(60_000);
  expect(dns.clock.pending).toBe(0);
  const early = start('dns://mesh.test:5671');
  early.timer.stop();
  await early.runFor(1);
  expect(early.clock.pending).toBe(0);
});
