// Prints each indicator of one node's ZeroMQ stream as it arrives. Run: node examples/subscribe.mjs [endpoint] [topic]
import { Subscriber } from 'zeromq';

const [endpoint = 'tcp://127.0.0.1:8481', topic = 'indicator/'] = process.argv.slice(2);
const socket = new Subscriber({ linger: 0 });
socket.connect(endpoint);
socket.subscribe(topic);
for await (const [name, message] of socket) {
  // CloudEvents 1.0: `id` is the same on every node, `data` the record.
  const { id, data } = JSON.parse(String(message));
  console.log(String(name), id, data.indicator);
}
