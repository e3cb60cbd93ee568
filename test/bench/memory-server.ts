import { readFileSync } from 'node:fs';
import { systemClock } from 'tocsin/mesh';
import { startServer } from '../../src/facade/server.ts';

// Answers every request with the bytes of a file, which it holds in memory, through the server that a node has.

const [file = '', contentType = ''] = process.argv.slice(2);
const bytes = readFileSync(file);
const server = await startServer(
  () => new Response(bytes, { headers: { 'content-type': contentType } }),
  '127.0.0.1',
  0,
  systemClock,
);
console.log(`ready ${server.url}`);
