import { expect, test } from 'vitest';
import { allowedFrom } from '../../../src/webhook/guard.ts';
import { createPoster, type Resolve } from '../../../src/webhook/post.ts';
import { manualClock } from '../../support/rooms.ts';
import { type Answer, answering, startReceiver } from '../../support/webhook-receiver.ts';

const nobody: Resolve = () => Promise.reject(new Error('ENOTFOUND'));

function poster(resolve: Resolve = nobody, allow: readonly string[] = ['127.0.0.1']) {
  const clock = manualClock();
  return { clock, ...createPoster({ allowed: allowedFrom(allow), resolve, clock }) };
}

const message = { headers: { 'content-type': 'application/json' }, body: '{"a":"ü"}' };
const redirecting =
  (status: number, location: string): Answer =>
  (response) =>
    void response.writeHead(status, { location }).end();

test('a message is posted whole, and its answer is told with Retry-After', async () => {
  await using receiver = await startReceiver(answering(429, { 'retry-after': '7' }));
  const { post, clock } = poster();
  expect(await post({ url: receiver.url, ...message })).toEqual({
    kind: 'answered',
    status: 429,
    retryAfter: '7',
    text: 'seen',
  });
  expect(receiver.received).toMatchObject([{ method: 'POST', path: '/hook', body: '{"a":"ü"}' }]);
  expect(receiver.received[0]?.headers['content-type']).toBe('application/json');
  expect(clock.timers).toBe(0);
});

test('a literal of this machine is not connected to unless it is allowed', async () => {
  await using receiver = await startReceiver(answering(200));
  const { post, refusal } = poster(nobody, []);
  for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '0', '[::ffff:127.0.0.1]']) {
    const url = `http://${host}:${receiver.port}/`;
    expect(await post({ url, ...message }), host).toMatchObject({ kind: 'refused' });
    expect(await refusal(url), host).toContain('--webhook-allow');
  }
  expect(receiver.received).toEqual([]);
});

test('a name is resolved once, and the address that was checked is the one connected to', async () => {
  await using receiver = await startReceiver(answering(204));
  // As a name does that points at a public address for the check and at a private one for the connection.
  const answers = [['127.0.0.1'], ['127.0.0.2']];
  const asked: string[] = [];
  const { post } = poster(async (name) => {
    asked.push(name);
    return answers.shift() ?? [];
  });
  const url = `http://hooks.example.com:${receiver.port}/hook`;
  expect(await post({ url, ...message })).toMatchObject({ status: 204 });
  expect(asked).toEqual(['hooks.example.com']);
  expect(receiver.received[0]?.headers.host).toBe(`hooks.example.com:${receiver.port}`);
  expect(await post({ url, ...message })).toMatchObject({ kind: 'refused' });
  expect(receiver.received).toHaveLength(1);
});

test('a name with a private and a usable address is connected to by the usable one', async () => {
  await using receiver = await startReceiver(answering(200));
  const { post } = poster(async () => ['10.0.0.1', '127.0.0.1']);
  expect(await post({ url: `http://hooks.example.com:${receiver.port}/`, ...message })).toMatchObject({
    status: 200,
  });
});

test('a name that does not resolve, and a port that nobody listens on, have failed', async () => {
  const { post, refusal } = poster();
  const unknown = { url: 'http://nowhere.test/', ...message };
  expect(await post(unknown)).toMatchObject({ kind: 'failed', reason: /does not resolve.*ENOTFOUND/ });
  expect(await refusal(unknown.url)).toMatch(/does not resolve/);
  const receiver = await startReceiver(answering(200));
  await receiver[Symbol.asyncDispose]();
  expect(await post({ url: receiver.url, ...message })).toMatchObject({
    kind: 'failed',
    reason: /ECONNREFUSED/,
  });
});

test('307 and 308 are followed as POST with the same body, up to three times', async () => {
  await using last = await startReceiver(answering(200));
  await using third = await startReceiver(redirecting(308, last.url));
  await using second = await startReceiver(redirecting(307, third.url));
  await using first = await startReceiver(redirecting(307, second.url));
  await using before = await startReceiver(redirecting(307, first.url));
  const { post } = poster();
  expect(await post({ url: first.url, ...message })).toMatchObject({ kind: 'answered', status: 200 });
  expect(last.received).toMatchObject([{ method: 'POST', body: '{"a":"ü"}' }]);
  expect(await post({ url: before.url, ...message })).toMatchObject({
    kind: 'failed',
    reason: /3 redirects/,
  });
});

test('a relative redirect is followed; those that make a GET of a POST are not, nor one without a place', async () => {
  await using receiver = await startReceiver((response, { path }) => {
    if (path === '/hook') response.writeHead(307, { location: '/there?x=1' }).end();
    else response.writeHead(200).end();
  });
  const { post } = poster();
  expect(await post({ url: receiver.url, ...message })).toMatchObject({ status: 200 });
  for (const status of [301, 302, 303]) {
    receiver.answer(redirecting(status, '/there'));
    expect(await post({ url: receiver.url, ...message }), String(status)).toMatchObject({ kind: 'failed' });
  }
  receiver.answer(redirecting(307, 'http://['));
  expect(await post({ url: receiver.url, ...message })).toMatchObject({ kind: 'failed' });
  receiver.answer(answering(307));
  expect(await post({ url: receiver.url, ...message })).toMatchObject({ kind: 'answered', status: 307 });
});

test('each hop is checked: no redirect leads to a private address, in whatever spelling', async () => {
  await using secret = await startReceiver(answering(200));
  await using receiver = await startReceiver(answering(200));
  const { post } = poster(async () => ['169.254.169.254']);
  for (const location of [
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/',
    'http://metadata.example.com/',
    `http://[::1]:${secret.port}/`,
    `http://127.0.0.2:${secret.port}/`,
    'file:///etc/passwd',
    `http://user:secret@127.0.0.1:${secret.port}/`,
  ]) {
    receiver.answer(redirecting(307, location));
    expect(await post({ url: receiver.url, ...message }), location).toMatchObject({ kind: 'refused' });
  }
  expect(secret.received).toEqual([]);
});

test('a receiver that hangs has failed after the time for the whole exchange, by the clock', async () => {
  let came: () => void = () => undefined;
  const coming = new Promise<void>((resolve) => {
    came = resolve;
  });
  await using receiver = await startReceiver(() => came());
  const { post, clock } = poster();
  const posted = post({ url: receiver.url, ...message });
  await coming;
  clock.advance(15_000);
  expect(await posted).toEqual({ kind: 'failed', reason: 'no answer within 15 s' });
  expect(clock.timers).toBe(0);
});

test('a resolver that hangs is left behind', async () => {
  const { post, clock } = poster(() => new Promise(() => undefined));
  const posted = post({ url: 'http://hooks.example.com/', ...message });
  clock.advance(15_000);
  expect(await posted).toMatchObject({ kind: 'failed', reason: 'no answer within 15 s' });
});

test('the status counts although the body never ends, and of a long body the beginning is kept', async () => {
  await using receiver = await startReceiver((response) => {
    response.writeHead(200);
    const more = (): void => {
      while (response.write('x'.repeat(10_000)));
      response.once('drain', more);
    };
    more();
  });
  const { post, clock } = poster();
  const posted = await post({ url: receiver.url, ...message });
  expect(posted).toMatchObject({ kind: 'answered', status: 200, text: 'x'.repeat(1_024) });
  receiver.answer((response) => void response.writeHead(202).write('a'));
  const hanging = post({ url: receiver.url, ...message });
  await receiver.count(2);
  const wake = setInterval(() => clock.advance(1_000), 20);
  expect(await hanging).toMatchObject({ kind: 'answered', status: 202 });
  clearInterval(wake);
});

test('a request is ended from outside', async () => {
  await using receiver = await startReceiver(() => undefined);
  const { post, clock } = poster();
  const stop = new AbortController();
  const posted = post({ url: receiver.url, ...message, signal: stop.signal });
  await receiver.count(1);
  stop.abort();
  expect(await posted).toEqual({ kind: 'failed', reason: 'stopped' });
  expect(await post({ url: receiver.url, ...message, signal: stop.signal })).toMatchObject({
    reason: 'stopped',
  });
  expect(clock.timers).toBe(0);
});
