import { bareSide } from './bare-side.ts';
import { childArgument, cpuMs, serve, sharedMs } from './child.ts';
import { ourSide } from './our-side.ts';
import type { SenderArgument } from './shout.ts';

// Shouts to the receivers of another process: `small` and `large` take how often, and answer when they began.

const { side, pair, receivers, smallBytes, largeBytes } = childArgument<SenderArgument>();
const sender = await (side === 'ours' ? ourSide : bareSide).send({ pair, receivers });
const small = Buffer.alloc(smallBytes, 's');
const large = Buffer.alloc(largeBytes, 'l');

async function shout(content: Buffer, count: number): Promise<number> {
  const startMs = sharedMs();
  await sender.send(content, count);
  return startMs;
}

serve({
  small: (count: number) => shout(small, count),
  large: (count: number) => shout(large, count),
  cpu: cpuMs,
});
