// A receiver of webhooks: verifies, does each thing once, and answers. `npm install standardwebhooks`, then
//   WEBHOOK_SECRET=whsec_... node examples/webhook-receiver.mjs 9000
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const done = new Set(); // keep this where it outlives the program

createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  try {
    webhook.verify(body, request.headers);
  } catch {
    return response.writeHead(401).end();
  }
  const id = request.headers['webhook-id'];
  if (!done.has(id)) {
    const { type, data } = JSON.parse(body);
    for (const item of type === 'tocsin.digest' ? data.items : [{ type, data }])
      console.log(item.type, item.data.q ?? item.data.indicator ?? item.data.name);
    done.add(id);
  }
  response.writeHead(204).end();
}).listen(Number(process.argv[2] ?? 9000), '127.0.0.1');
