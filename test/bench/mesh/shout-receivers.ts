import { bareSide } from './bare-side.ts';
import { childArgument, cpuMs, serve, sharedMs } from './child.ts';
import { ourSide } from './our-side.ts';
import type { ReceiversArgument } from './shout.ts';
import type { Receiver } from './side.ts';

// Several receivers in one process. `expect` arms it for so many messages at each; `done` answers when the last was there.

const { side, count, pair } = childArgument<ReceiversArgument>();
let missing = 0;
let finish = (_: number) => {};
let finished = Promise.resolve(0);

function onContent(): void {
  if (--missing === 0) finish(sharedMs());
}

const receivers: Receiver[] = [];
for (let n = 0; n < count; n++) {
  receivers.push(await (side === 'ours' ? ourSide : bareSide).receive({ pair, onContent }));
}
serve({
  receivers: () => receivers,
  expect(messages: number) {
    missing = messages * count;
    finished = new Promise((resolve) => {
      finish = resolve;
    });
    return null;
  },
  done: () => finished,
  cpu: cpuMs,
});
