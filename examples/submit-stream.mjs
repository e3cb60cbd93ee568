// Sends NDJSON from standard input to a node as it comes, over one connection, and prints its answers as they come.
// Run: tail -f rows.ndjson | node examples/submit-stream.mjs. TOCSIN_URL and TOCSIN_TOKEN name the node and a token of it.
import { request } from 'node:http';

const { TOCSIN_URL: url = 'http://127.0.0.1:8480', TOCSIN_TOKEN: token } = process.env;
const type = 'application/x-ndjson';
const headers = { authorization: `Bearer ${token}`, 'content-type': type, accept: type };
const submission = request(`${url}/indicators`, { method: 'POST', headers });
// Each line says what became of rows `first` to `last`; `{"error":...}` ends the stream, and what was not answered is sent again.
submission.on('response', (answers) => answers.pipe(process.stdout));
process.stdin.pipe(submission);
