import { expect, test } from 'vitest';
import { systemNames } from '../../../mesh/transport/names.ts';
import { connectResolved } from '../../../mesh/transport/resolved.ts';
import { zeromqTransport } from '../../../mesh/transport/zeromq.ts';

test('hosts are found in /etc/hosts, and a name that is nowhere says so', async () => {
  const names = systemNames();
  expect(await names.addresses('localhost')).toContain('127.0.0.1');
  // RFC 6761 6.4: never resolves. Without a network the resolver cannot even say that.
  await expect(names.addresses('nowhere.invalid')).rejects.toMatchObject({
    code: expect.stringMatching(/^(?:ENOTFOUND|EAI_AGAIN)$/),
  });
});

test('a stranger’s many hosts wait in turn, and too many are refused', async () => {
  const names = systemNames();
  const asked = await Promise.allSettled(Array.from({ length: 40 }, () => names.addresses('localhost')));
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(32);
  expect(await names.addresses('localhost')).not.toEqual([]);
});

test.each([
  ['tcp://192.0.2.1:1000', ['tcp://192.0.2.1:1000']],
  ['tcp://[2001:db8::1]:1000', ['tcp://[2001:db8::1]:1000']],
  ['inproc://anything', ['inproc://anything']],
  ['tcp://both.test:1000', ['tcp://192.0.2.7:1000']],
  ['tcp://six.test:1000', ['tcp://[2001:db8::7]:1000']],
  ['tcp://gone.test:1000', []],
])('%s is dialled as %j', async (endpoint, wanted) => {
  const known = new Map([
    ['both.test', ['2001:db8::7', '192.0.2.7']],
    ['six.test', ['2001:db8::7']],
  ]);
  const dialled: string[] = [];
  const names = {
    async addresses(name: string) {
      const found = known.get(name);
      if (found === undefined) throw new Error(name);
      return found;
    },
    services: async () => [],
  };
  connectResolved(endpoint, names, (resolved) => dialled.push(resolved));
  await new Promise((resolve) => setImmediate(resolve));
  expect(dialled).toEqual(wanted);
});

test('a link to a host by name carries what was sent before the name was resolved, and closes while it is not', async () => {
  const transport = zeromqTransport();
  const queue = { queueMessagesMax: 10, queueBytesMax: 1_000 };
  const closed = transport.dial('tcp://nowhere.invalid:1', queue);
  closed.send([Buffer.from('lost')]);
  await closed.close(0);
  let hear: (text: string) => void = () => {};
  const heard = new Promise<string>((resolve) => {
    hear = resolve;
  });
  const listener = await transport.listen('tcp://127.0.0.1:*', { frameBytesMax: 1_000 });
  listener.receive((_, frames) => hear(frames.map(String).join()));
  const link = transport.dial(listener.endpoint.replace('127.0.0.1', 'localhost'), queue);
  link.send([Buffer.from('hello')]);
  expect(await heard).toBe('hello');
  await link.close(0);
  await listener.close();
});
