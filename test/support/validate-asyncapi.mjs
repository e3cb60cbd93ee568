// Validates the AsyncAPI document on standard input, and prints what the parser says of it. A process of its own: the tests' import
// conditions lead one of the parser's dependencies astray.
import { text } from 'node:stream/consumers';
import { Parser } from '@asyncapi/parser';

const { document, diagnostics } = await new Parser().parse(await text(process.stdin));
const servers = document?.servers().all() ?? [];
console.log(
  JSON.stringify({
    version: document?.version(),
    diagnostics,
    servers: servers.map((server) => [server.id(), server.protocol(), server.host()]),
    channels: document?.channels().all().map((channel) => channel.address()),
  }),
);
