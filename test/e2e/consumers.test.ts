import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, startChromium } from '../support/chromium.ts';
import { type LineProcess, spawnLines } from '../support/process.ts';
import { requirementMet } from '../support/requirement.ts';
import { eventually, type Fleet, type FleetNode, main, startFleet } from './fleet.ts';

/** Consumers without code of ours, and those with it: each hears at one node what enters at another. */

const root = join(import.meta.dirname, '../..');
const hasChromium = requirementMet(
  spawnSync('chromium', ['--version']).status === 0 ? undefined : 'no chromium',
);

const hasPythonZmq = requirementMet(
  spawnSync('/usr/bin/python3', ['-c', 'import zmq']).status === 0 ? undefined : 'no python3-zmq',
);

let fleet: Fleet;
let one: FleetNode;
let two: FleetNode;
beforeAll(async () => {
  fleet = await startFleet(2);
  const [first, second] = fleet.nodes;
  if (first === undefined || second === undefined) throw new Error('no two nodes');
  one = first;
  two = second;
});
afterAll(() => fleet[Symbol.asyncDispose]());

/** Submits at the first node. */
async function submit(indicator: string): Promise<void> {
  const response = await fetch(`${one.url}/indicators`, {
    method: 'POST',
    headers: { authorization: `Bearer ${one.token}`, 'content-type': 'text/plain' },
    body: indicator,
  });
  expect(response.status, await response.text()).toBeLessThan(300);
}

/** Submits until a subscriber that comes without a word has heard one; answers how many that took. */
async function submitUntilHeard(heard: () => readonly string[], name: string, before = 0): Promise<number> {
  for (let n = 1; ; n++) {
    await submit(`${before + n}.${name}.example.com`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (heard().some((line) => line.includes(`.${name}.example.com`))) return n;
    if (n > 400) throw new Error(`${name} hears nothing`);
  }
}

/** The numbers that a subscriber printed, in its order. */
function numbersOf(lines: readonly string[], name: string): readonly number[] {
  const pattern = new RegExp(`(\\d+)\\.${name}\\.example\\.com`);
  return lines.flatMap((line) => Number(pattern.exec(line)?.[1] ?? Number.NaN) || []);
}

/** Every one from the first that was heard to `last`, once. */
async function expectAll(subscriber: LineProcess, name: string, last: number): Promise<void> {
  const numbers = await eventually(`${name} hears the last one`, async () => {
    const heard = numbersOf(subscriber.output('stdout'), name);
    return heard.includes(last) ? heard : undefined;
  });
  const [first = 0] = numbers;
  expect(numbers).toEqual(Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

/** What follows the stream of a node at `url`, connecting again by itself unless it is `curl`. */
const consumers: Readonly<Record<string, (url: string) => readonly string[]>> = {
  curl: (url) => ['bash', '-c', `exec curl -sN -H "Authorization: Bearer $TOCSIN_TOKEN" '${url}/stream'`],
  python: () => ['/usr/bin/python3', join(root, 'examples/stream.py')],
  shell: () => ['bash', join(root, 'examples/stream.sh')],
  node: (url) => [process.execPath, join(root, 'examples/stream.mjs'), url],
  tail: (url) => [process.execPath, main, 'tail', '--follow', '--url', url],
};

function start(name: string, url: string, token: string): Promise<LineProcess> {
  const [program = '', ...args] = consumers[name]?.(url) ?? [];
  return spawnLines(program, args, { cwd: root, env: { TOCSIN_URL: url, TOCSIN_TOKEN: token } });
}

test.each(Object.keys(consumers))('%s hears every indicator once', async (name) => {
  await using subscriber = await start(name, two.url, two.token);
  const first = await submitUntilHeard(() => subscriber.output('stdout'), name);
  for (let n = first + 1; n <= first + 20; n++) await submit(`${n}.${name}.example.com`);
  await expectAll(subscriber, name, first + 20);
});

test.skipIf(!hasChromium)(
  'a browser hears them by EventSource with a ticket',
  { timeout: 120_000 },
  async () => {
    await using browser: Browser = await startChromium();
    const page = await browser.open(`${two.url}/docs`);
    const opened = await page.evaluate(`(async () => {
    const headers = { authorization: 'Bearer ${two.token}' };
    const answer = await fetch('/stream/ticket', { method: 'POST', headers });
    const { ticket } = await answer.json();
    const source = new EventSource('/stream?kind=indicator&ticket=' + encodeURIComponent(ticket));
    window.heard = [];
    source.addEventListener('indicator', ({ data }) => heard.push(JSON.parse(data).data.indicator));
    await new Promise((resolve, reject) => {
      source.addEventListener('connected', resolve);
      source.addEventListener('error', reject);
    });
    window.second = await new Promise((resolve) => {
      const again = new EventSource('/stream?ticket=' + encodeURIComponent(ticket));
      again.onopen = () => resolve('open');
      again.onerror = () => resolve('refused');
    });
    return answer.status;
  })()`);
    expect(opened).toBe(201);
    for (let n = 1; n <= 20; n++) await submit(`${n}.browser.example.com`);
    const heard = await eventually('the browser hears the last one', async () => {
      const lines = (await page.evaluate('heard')) as readonly string[];
      return lines.includes('20.browser.example.com') ? lines : undefined;
    });
    expect(numbersOf(heard, 'browser')).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    // A ticket is good once.
    expect(await page.evaluate('second')).toBe('refused');
  },
);

/** The node and the built client under one origin, as a page of somebody's own would have them. */
async function siteWith(node: FleetNode) {
  const server = createServer(async (incoming, outgoing) => {
    const path = incoming.url ?? '/';
    if (path === '/page') outgoing.writeHead(200, { 'content-type': 'text/html' }).end('<p>');
    else if (path.startsWith('/client/')) {
      const script = await readFile(join(root, 'dist/src', path));
      outgoing.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
    } else passOn(incoming, outgoing);
  });
  function passOn(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, headers } = incoming;
    const passedOn = request(node.url + incoming.url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
      outgoing.on('close', () => answer.destroy());
    });
    incoming.pipe(passedOn);
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test.skipIf(!hasChromium)('the client runs in a browser as it is', { timeout: 120_000 }, async () => {
  await using site = await siteWith(two);
  await using browser: Browser = await startChromium();
  const page = await browser.open(`${site.url}/page`);
  await page.evaluate(`(async () => {
    const { createClient } = await import('/client/client.js');
    const client = createClient({ nodes: [location.origin], token: '${two.token}' });
    window.heard = [];
    await new Promise((resolve) => {
      const following = client.stream({ onState: ({ kind }) => kind === 'connected' && resolve() });
      (async () => {
        for await (const message of following) heard.push(message.data.indicator);
      })();
    });
  })()`);
  for (let n = 1; n <= 5; n++) await submit(`${n}.page.example.com`);
  const heard = await eventually('the page hears the last one', async () => {
    const lines = (await page.evaluate('heard')) as readonly string[];
    return lines.includes('5.page.example.com') ? lines : undefined;
  });
  expect(numbersOf(heard, 'page')).toEqual([1, 2, 3, 4, 5]);
});

async function freePort(): Promise<string> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return String(typeof address === 'object' ? address?.port : '');
}

test('each goes on after a restart of its node, and tail says so', { timeout: 180_000 }, async () => {
  const name = 'restart';
  const [port, streamPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const startNode = async () => {
    const node = await fleet.start('start', '--http-port', port, '--stream-port', streamPort);
    await node.line(/^Ready/, { deadlineMs: 60_000 });
    return node;
  };
  const before = await startNode();
  const token = (await before.line(/^Admin token: /)).replace('Admin token: ', '');
  // This one finds its token by itself, and a node has another one after each start.
  await using tail = await fleet.start('tail', '--follow', '--url', url);
  await using python = await start('python', url, token);
  await using shell = await start('shell', url, token);
  await using node = await start('node', url, token);
  const zeromqScript = [join(root, 'examples/subscribe.py'), `tcp://127.0.0.1:${streamPort}`];
  const env = { TOCSIN_URL: url, TOCSIN_TOKEN: token };
  await using zeromq = await spawnLines('/usr/bin/python3', zeromqScript, { env });
  const subscribers = [tail, python, shell, node, ...(hasPythonZmq ? [zeromq] : [])];
  let first = 0;
  for (const subscriber of subscribers) {
    first += await submitUntilHeard(() => subscriber.output('stdout'), name, first);
  }
  await before.stop();
  const lost = new RegExp(`^Lost ${url} .*; connecting again after [0-9a-f]{32}\\.\\S+ in`);
  await tail.line(lost, { from: 'stderr' });
  for (let n = first + 1; n <= first + 10; n++) await submit(`${n}.${name}.example.com`);
  await using after = await startNode();
  expect(after.pid).not.toBe(before.pid);
  const back = new RegExp(`^Reconnected to ${url} after [0-9a-f]{32}\\.\\S+\\.$`);
  await tail.line(back, { from: 'stderr', deadlineMs: 60_000 });
  for (let n = first + 11; n <= first + 20; n++) await submit(`${n}.${name}.example.com`);
  for (const subscriber of subscribers) await expectAll(subscriber, name, first + 20);
});
