import { expect, test } from 'vitest';
import { openRowStream } from '../support/row-stream-client.ts';
import { eventually, getJson, startFleet } from './fleet.ts';

test('SIGTERM under a stream: what was taken is answered, the last line says why, and nothing answered is lost', async () => {
  await using fleet = await startFleet(2);
  const [first, second] = fleet.nodes;
  if (first === undefined || second === undefined) throw new Error('no fleet');
  const headers = { authorization: `Bearer ${first.token}` };
  const stream = await openRowStream(`${first.url}/indicators?ack=1`, headers);
  const idle = await openRowStream(`${first.url}/indicators`, headers);
  let open = true;
  const sending = (async () => {
    for (let i = 1; open; i++) {
      stream.outgoing.write(`"row${i}.example.com"\n`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  let last = 0;
  for (let answered = await stream.next(); last < 500; answered = await stream.next())
    last = answered?.rows?.last ?? 0;
  const stopped = first.process.stop('SIGTERM');
  const rest = await stream.rest();
  open = false;
  await sending;
  for (const { rows, error } of rest) {
    if (error === undefined) last = rows?.last ?? 0;
  }
  expect(rest.at(-1)).toMatchObject({ error: { status: 503, code: 'STOPPED' } });
  expect(await idle.rest()).toMatchObject([{ error: { status: 503, code: 'STOPPED' } }]);
  expect(await stopped).toEqual({ code: 0, signal: null });
  await eventually('the last row that was answered, at the other node', async () => {
    const found = await getJson(second, `/indicators?q=row${last}.example.com`);
    return (found['data'] as readonly unknown[]).length === 1 ? true : undefined;
  });
});
