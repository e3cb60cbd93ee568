// Prints each indicator as the mesh learns it, from whichever node lives. Run: node examples/stream.mjs [url ...]
// TOCSIN_TOKEN is a token with the scope stream.
import { createClient } from 'tocsin/client';

const [, , ...urls] = process.argv;
const nodes = urls.length > 0 ? urls : ['http://127.0.0.1:8480'];
const client = createClient({ nodes, token: process.env.TOCSIN_TOKEN });
// It connects again by itself, after the last message, at the next node when this one is gone.
const onState = ({ kind, node, reason, after }) => console.error(kind, node, reason ?? '', after ?? '');
for await (const message of client.stream({ kind: 'indicator', onState })) {
  // Messages are missing: snapshot() has the whole picture again.
  if (message.kind === 'reset') console.error(message.detail);
  else console.log(message.type, message.id, message.data.indicator);
}
