import { describe, expect, test } from 'vitest';
import {
  answered,
  answersMax,
  type Candidates,
  chosen,
  dialsPerName,
  endpointsOf,
  missingMsMax,
  parseSeed,
} from '../../../mesh/discovery/seeds.ts';
import { seededRandom } from '../../../mesh/random.ts';

const none: Candidates = new Map();

function endpoints(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `tcp://192.0.2.${i + 1}:5671`);
}

function choose(
  candidates: Candidates,
  {
    connected = [],
    barred = [],
    nowMs = 0,
  }: { connected?: readonly string[]; barred?: readonly string[]; nowMs?: number } = {},
  seed = 1,
): Candidates {
  return chosen(candidates, {
    connected: (endpoint) => connected.includes(endpoint),
    barred: (endpoint) => barred.includes(endpoint),
    nowMs,
    random: seededRandom(seed),
  });
}

function dialled(candidates: Candidates): readonly string[] {
  return [...candidates]
    .filter(([, { dialledAtMs }]) => dialledAtMs !== undefined)
    .map(([endpoint]) => endpoint);
}

describe('a seed', () => {
  test.each([
    ['tcp://192.0.2.1:5671', { kind: 'hub', endpoint: 'tcp://192.0.2.1:5671' }],
    ['tcp://[2001:db8::1]:5671', { kind: 'hub', endpoint: 'tcp://[2001:db8::1]:5671' }],
    ['tcp://seed-1:5671', { kind: 'host', name: 'seed-1', port: 5671 }],
    ['dns://mesh.test:5671', { kind: 'host', name: 'mesh.test', port: 5671 }],
    ['dns://_gossip._tcp.mesh.test', { kind: 'service', name: '_gossip._tcp.mesh.test' }],
  ])('%s is read', (text, seed) => {
    expect(parseSeed(text)).toEqual({ ok: true, value: { text, ...seed } });
  });

  test.each([
    '',
    'mesh.test',
    'tcp://192.0.2.1',
    'dns://mesh.test',
    'dns://192.0.2.1:1',
    'dns://_gossip._udp.mesh.test',
    `dns://${'a'.repeat(300)}:1`,
  ])('%j is none', (text) => expect(parseSeed(text)).toEqual({ ok: false, reason: 'bad-seed' }));
});

describe('what a name yields', () => {
  test('is all dialled when it is little', () => {
    expect(dialled(choose(answered(none, endpoints(3), 0)))).toEqual(endpoints(3));
  });

  test('is cut at the cap, and of it only some are dialled', () => {
    const many = choose(answered(none, endpoints(200), 0));
    expect(many.size).toBe(answersMax);
    expect(dialled(many)).toHaveLength(dialsPerName);
  });

  test('does not name those whom to dial is of no use: ourselves', () => {
    const [self = ''] = endpoints(1);
    expect(dialled(choose(answered(none, endpoints(3), 0), { barred: [self] }))).toEqual(
      endpoints(3).slice(1),
    );
  });

  test('exchanges one that answers for another one at each answer, so that halves of a mesh meet', () => {
    const ten = endpoints(10);
    let now = choose(answered(none, ten, 0));
    const seen = new Set(dialled(now));
    for (let nowMs = 30_000; nowMs < 30 * 60_000; nowMs += 30_000) {
      const before = dialled(now);
      now = choose(answered(now, ten, nowMs), { connected: before, nowMs }, nowMs);
      const kept = dialled(now).filter((endpoint) => before.includes(endpoint));
      expect(kept).toHaveLength(dialsPerName - 1);
      for (const endpoint of dialled(now)) seen.add(endpoint);
    }
    expect([...seen].sort()).toEqual([...ten].sort());
  });

  test('tries others in the place of those that do not answer', () => {
    const [alive = '', ...dead] = endpoints(10);
    let now = choose(answered(none, [...dead, alive], 0));
    for (let nowMs = 1_000; nowMs < 60_000 && !dialled(now).includes(alive); nowMs += 1_000)
      now = choose(answered(now, [...dead, alive], nowMs), { nowMs }, nowMs);
    expect(dialled(now)).toContain(alive);
  });

  test('is dialled for a while after answers lack it, and then dropped; a name that does not answer drops nothing', () => {
    const [gone = '', stays = ''] = endpoints(2);
    const both = choose(answered(none, [gone, stays], 0));
    const lacking = answered(both, [stays], 10_000);
    expect(dialled(choose(lacking))).toContain(gone);
    expect(dialled(choose(answered(lacking, [stays], 10_000 + missingMsMax - 1)))).toContain(gone);
    expect([...answered(lacking, [stays], 10_000 + missingMsMax).keys()]).toEqual([stays]);
    const back = answered(answered(lacking, [gone, stays], 60_000), [stays], 70_000);
    expect(back.get(gone)?.missingSinceMs).toBe(70_000);
  });

  test('has IPv4 first, and IPv6 in brackets', () => {
    expect(endpointsOf(['2001:db8::1', '192.0.2.1'], 5671)).toEqual([
      'tcp://192.0.2.1:5671',
      'tcp://[2001:db8::1]:5671',
    ]);
  });
});
