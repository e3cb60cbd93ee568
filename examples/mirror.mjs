// Keeps a copy of all records of a mesh: a snapshot, and then what changes. Run: node examples/mirror.mjs [url ...]
// TOCSIN_TOKEN is a token with the scopes read and stream.
import { ClientError, createClient } from 'tocsin/client';

const [, , ...urls] = process.argv;
const nodes = urls.length > 0 ? urls : ['http://127.0.0.1:8480'];
const client = createClient({ nodes, token: process.env.TOCSIN_TOKEN });

for (;;) {
  const records = new Map();
  const snapshot = client.snapshot();
  try {
    for await (const record of snapshot) records.set(record.id, record);
  } catch (error) {
    // The node stopped in the middle of it. The next one begins anew.
    if (error instanceof ClientError && error.code === 'broken-off') continue;
    throw error;
  }
  console.log(`${records.size} records`);
  const stream = client.stream({ cursor: snapshot.cursor, kind: ['indicator', 'sighting', 'retract', 'expire'] });
  for await (const message of stream) {
    // Messages are missing, as this copy was away for longer than any node remembers: begin anew.
    if (message.kind === 'reset') break;
    if (message.kind === 'expire') records.delete(message.data.id);
    else records.set(message.data.id, message.data);
    console.log(`${records.size} records, after ${message.type} of ${message.data.indicator}`);
  }
}
