import { randomBytes } from 'node:crypto';
import bonjourService from 'bonjour-service';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../mesh/clock.ts';
import type { DiscoveryContext, Sighting } from '../../../mesh/discovery/discovery.ts';
import { mdnsDiscovery, parseTxt } from '../../../mesh/discovery/mdns.ts';
import { type PeerId, peerIdFromBytes } from '../../../mesh/ids.ts';
import { defaultLimits } from '../../../mesh/limits.ts';
import { systemRandom } from '../../../mesh/random.ts';
import { simulatedClock, simulatedNetwork } from '../../../mesh/transport/simulated.ts';
import type { Datagrams } from '../../../mesh/transport/transport.ts';
import { udpDatagrams } from '../../../mesh/transport/udp.ts';

const key = 'rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7';
const id = 'ab'.repeat(16);
const endpoint = 'tcp://192.0.2.1:1000';

describe('what a TXT record says', () => {
  test('is an address, with a key on an encrypted mesh', () => {
    const address = { id: id.toUpperCase(), endpoint };
    expect(parseTxt({ id, endpoint })).toEqual({ ok: true, value: { ...address, publicKey: undefined } });
    expect(parseTxt({ id, endpoint, key, more: 'ignored' })).toEqual({
      ok: true,
      value: { ...address, publicKey: key },
    });
  });

  test.each([
    [undefined, 'no-txt'],
    ['id=1', 'no-txt'],
    [{}, 'bad-id'],
    [{ id: `${id}00`, endpoint }, 'bad-id'],
    [{ id: id.slice(1), endpoint }, 'bad-id'],
    [{ id: [id], endpoint }, 'bad-id'],
    [{ id }, 'bad-endpoint'],
    [{ id, endpoint: 'udp://192.0.2.1:1000' }, 'bad-endpoint'],
    [{ id, endpoint: 'tcp://192.0.2.1' }, 'bad-endpoint'],
    [{ id, endpoint: 'tcp://192.0.2.1:0' }, 'bad-endpoint'],
    [{ id, endpoint: 'tcp://192.0.2.1:65536' }, 'bad-endpoint'],
    [{ id, endpoint: 'tcp://[192.0.2.1]:1' }, 'bad-endpoint'],
    [{ id, endpoint: `tcp://${'a.'.repeat(127)}:1` }, 'bad-endpoint'],
    [{ id, endpoint: `tcp://${'a'.repeat(1_000_000)}:1` }, 'bad-endpoint'],
    [{ id, endpoint: 'tcp://ho st:1' }, 'bad-endpoint'],
    [{ id, endpoint, key: key.slice(1) }, 'bad-key'],
    [{ id, endpoint, key: `${key.slice(1)}~` }, 'bad-key'],
    [{ id, endpoint, key: '' }, 'bad-key'],
  ])('%j is refused as %s', (txt, reason) => {
    expect(parseTxt(txt)).toEqual({ ok: false, reason });
  });
});

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

type Node = {
  readonly id: PeerId;
  readonly sightings: Sighting[];
  readonly refused: string[];
  sighted(whom: string): Promise<Sighting>;
  stop(): Promise<void>;
};

async function startNode(
  type: string,
  publicKey?: string,
  datagrams: Datagrams = udpDatagrams(),
  clock: Clock = systemClock,
): Promise<Node> {
  const own = peerIdFromBytes(randomBytes(16));
  const sightings: Sighting[] = [];
  const refused: string[] = [];
  const waiting = new Set<() => void>();
  const { transport } = simulatedNetwork(simulatedClock(0), systemRandom, {
    delayMsMin: 0,
    delayMsMax: 0,
    loss: 0,
    duplication: 0,
  });
  const context: DiscoveryContext = {
    self: { id: own, addresses: [{ endpoint: `tcp://127.0.0.1:${1_000 + sightings.length}`, publicKey }] },
    keys: [],
    isHeard: () => false,
    onStranger: () => {},
    onTurnedAway: () => {},
    onSighting(sighting) {
      sightings.push(sighting);
      for (const check of waiting) check();
    },
    onRefused: (reason) => refused.push(reason),
    clock,
    random: systemRandom,
    limits: defaultLimits,
    transport: transport('unused'),
    datagrams,
  };
  const { stop } = await mdnsDiscovery({ type, host: '127.0.0.1' }).start(context);
  stops.push(stop);
  return {
    id: own,
    sightings,
    refused,
    stop,
    sighted: (whom) =>
      new Promise((resolve) => {
        const check = () => {
          const found = sightings.find((sighting) => sighting.id === whom);
          if (found) resolve(found);
        };
        waiting.add(check);
        check();
      }),
  };
}

/** Two tests at once must not see each other. */
function someType(): string {
  return `t${randomBytes(6).toString('hex')}`;
}

describe('on loopback', () => {
  test('two nodes see one another, and neither itself', async () => {
    const type = someType();
    const a = await startNode(type);
    const b = await startNode(type, key);
    expect(await a.sighted(b.id)).toEqual({
      source: 'mdns',
      id: b.id,
      endpoint: 'tcp://127.0.0.1:1000',
      publicKey: key,
      leaseMs: 70_000,
    });
    expect((await b.sighted(a.id)).publicKey).toBeUndefined();
    expect(a.sightings.map((sighting) => sighting.id)).not.toContain(a.id);
  });

  test('nodes of another type are not seen', async () => {
    const [type, other] = [someType(), someType()];
    const a = await startNode(type);
    await startNode(other);
    const b = await startNode(type);
    await a.sighted(b.id);
    expect(a.sightings.every((sighting) => sighting.id === b.id)).toBe(true);
  });

  test('a service that is none of ours is refused and counted; a sighting is given again at each look', async () => {
    const type = someType();
    const a = await startNode(type);
    const stranger = new bonjourService.Bonjour({ interface: '127.0.0.1', bind: '0.0.0.0' } as object);
    stops.push(() => new Promise<void>((resolve) => void stranger.destroy(resolve)));
    stranger.publish({ name: 'printer', type, port: 631, probe: false, txt: { paper: 'a4' } });
    const b = await startNode(type);
    await a.sighted(b.id);
    a.sightings.length = 0;
    await a.sighted(b.id);
    expect(a.refused).toContain('mdns bad-id');
  });

  test('a service type that DNS-SD does not know is our caller’s fault', () => {
    expect(() => mdnsDiscovery({ type: 'sixteen-letters-', host: '127.0.0.1' })).toThrow(
      'is no service type',
    );
  });
});

test('no packet of a stranger ends the process', async () => {
  let hear: (bytes: Uint8Array) => void = () => {};
  const deaf: Datagrams = {
    async open({ onDatagram }) {
      hear = (bytes) => onDatagram(bytes, '192.0.2.66');
      return { send: () => {}, close: async () => {} };
    },
  };
  let nowMs = 0;
  const node = await startNode('abc', undefined, deaf, { ...systemClock, monotonicMs: () => nowMs });
  // PTR _abc._tcp.local -> "x", and an SRV record "x" whose name has not the parts that the library takes for granted.
  const nameOfType = Buffer.from('\x04_abc\x04_tcp\x05local\x00', 'latin1');
  const header = Buffer.from('000084000000000200000000', 'hex');
  const tail = (type: number, data: Buffer) =>
    Buffer.concat([Buffer.from([0, type, 0, 1, 0, 0, 0, 120, 0, data.length]), data]);
  const x = Buffer.from('\x01x\x00', 'latin1');
  const srv = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 1]), x]);
  const hostile = Buffer.concat([header, nameOfType, tail(12, x), x, tail(33, srv)]);
  hear(hostile);
  for (let cut = 0; cut < hostile.length; cut++) hear(hostile.subarray(0, cut));
  for (let i = 0; i < 1_500; i++) {
    const bytes = Buffer.from(hostile);
    for (let flips = 0; flips < 3; flips++)
      bytes[Math.floor(Math.random() * bytes.length)] = Math.random() * 256;
    nowMs += 5;
    hear(bytes);
  }
  expect(new Set(node.refused)).not.toContain('mdns too-many');
  nowMs += 1_000;
  hear(Buffer.alloc(9_001));
  expect(node.refused.at(-1)).toBe('mdns too-large');
  for (let i = 0; i < 501; i++) hear(hostile);
  expect(node.sightings).toEqual([]);
  expect(new Set(node.refused)).toContain('mdns too-many');
});
