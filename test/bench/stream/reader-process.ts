import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { openLineReader } from '../jetstream/chunked-lines.ts';
import { nowMs } from '../jetstream/side.ts';
import { median, quantile } from '../measure.ts';
import { pathOf } from './reader-filters.ts';
import type { ReadersArgument, ReadersHeard } from './readers.ts';
import { madeAtMs, type Row } from './rows.ts';

// Many SSE subscribers in one process, over sockets by hand: Node's own client would take more of the cores than the node does.

const data = 'data: ';
const atOnce = 50;
const { url, token, count } = JSON.parse(process.argv[2] ?? '') as ReadersArgument;
const { hostname, port, host } = new URL(url);
const counts = Array.from({ length: count }, () => 0);
let lagsMs: number[] = [];
let problem: string | undefined;

function read(reader: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    let event = '';
    const take = openLineReader((line) => {
      if (line.startsWith('event: ')) event = line.slice('event: '.length);
      if (!line.startsWith(data)) return;
      if (event === 'connected') resolve();
      else if (event === 'indicator') hear(JSON.parse(line.slice(data.length)).data as Row);
      else problem ??= line;
    });
    function hear(row: Row): void {
      counts[reader] = (counts[reader] ?? 0) + 1;
      lagsMs.push(nowMs() - madeAtMs(row));
    }
    socket.on('data', take);
    socket.on('error', reject);
    socket.on('close', () => {
      problem ??= `reader ${reader} was disconnected`;
    });
    socket.write(
      `GET ${pathOf(reader, count)} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\naccept: text/event-stream\r\n\r\n`,
    );
  });
}

for (let reader = 0; reader < count; reader += atOnce)
  await Promise.all(Array.from({ length: Math.min(atOnce, count - reader) }, (_, i) => read(reader + i)));
console.log('ready');
createInterface({ input: process.stdin }).on('line', () => {
  const heard: ReadersHeard = {
    counts,
    p50Ms: median(lagsMs),
    p99Ms: quantile(lagsMs, 0.99),
    ...(problem !== undefined && { problem }),
  };
  lagsMs = [];
  console.log(`heard ${JSON.stringify(heard)}`);
});
