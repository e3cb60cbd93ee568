import { randomBytes } from 'node:crypto';
import { type CurvePair, curvePairOf } from 'tocsin/mesh';
import { median, type Row, round } from '../measure.ts';
import { type Child, startChild } from './child.ts';
import type { Receiver } from './side.ts';

export type ReceiversArgument = {
  readonly side: 'ours' | 'bare';
  readonly count: number;
  readonly pair: CurvePair | undefined;
};
export type SenderArgument = Omit<ReceiversArgument, 'count'> & {
  readonly receivers: readonly Receiver[];
  readonly smallBytes: number;
  readonly largeBytes: number;
};

const smallBytes = 300;
const largeBytes = 64 * 1024;
const runs = Number(process.env['BENCH_RUNS'] ?? 5);
const receiverCounts = (process.env['BENCH_RECEIVERS'] ?? '1,3,7').split(',').map(Number);
/** Delivered in one run: half a second to a second. */
const smallDeliveries = 25_000;
const largeDeliveries = 2_000;

/** CPU by message sent, and by message received. */
type Measured = { readonly shoutsPerSecond: number; readonly sendUs: number; readonly receiveUs: number };

/** SHOUT to receivers of another process beside zeromq.js alone: the same frames, the same layout, in turn. */
export async function benchMeshShout(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const pair of [undefined, curvePairOf(randomBytes(32))]) {
    for (const receivers of receiverCounts) rows.push(...(await benchFanOut(receivers, pair)));
  }
  return rows;
}

async function benchFanOut(count: number, pair: CurvePair | undefined): Promise<readonly Row[]> {
  await using ours = await startFanOut('ours', count, pair);
  await using bare = await startFanOut('bare', count, pair);
  const rows: Row[] = [];
  for (const size of ['small', 'large'] as const) {
    const shouts = Math.ceil((size === 'small' ? smallDeliveries : largeDeliveries) / count);
    await ours.run(size, shouts);
    await bare.run(size, shouts);
    const pairs: (readonly [Measured, Measured])[] = [];
    for (let run = 0; run < runs; run++) {
      pairs.push([await ours.run(size, shouts), await bare.run(size, shouts)]);
    }
    rows.push(rowOf(size, count, pair !== undefined, pairs));
    console.log(`  ${rows.at(-1)?.join(' | ')}`);
  }
  return rows;
}

function rowOf(
  size: 'small' | 'large',
  count: number,
  isEncrypted: boolean,
  pairs: readonly (readonly [Measured, Measured])[],
): Row {
  const told = (which: 0 | 1) => {
    const rate = median(pairs.map((pair) => pair[which].shoutsPerSecond));
    const cpuOf = (side: 'sendUs' | 'receiveUs') => round(median(pairs.map((pair) => pair[which][side])));
    const cpu = `${cpuOf('sendUs')} + ${cpuOf('receiveUs')} µs CPU a message`;
    return size === 'small'
      ? `${round(rate)}/s, ${cpu}`
      : `${round((rate * count * largeBytes) / 1e6)} MB/s, ${cpu}`;
  };
  return [
    `SHOUT of ${size === 'small' ? '300 bytes' : '64 KiB'} to ${count}${isEncrypted ? ', encrypted' : ''}`,
    told(0),
    told(1),
    round(median(pairs.map(([ours, bare]) => ours.shoutsPerSecond / bare.shoutsPerSecond)), 2),
    isEncrypted ? 'recorded' : '≥ 0.85',
  ];
}

type FanOut = AsyncDisposable & {
  run(size: 'small' | 'large', shouts: number): Promise<Measured>;
};

async function startFanOut(
  side: 'ours' | 'bare',
  count: number,
  pair: CurvePair | undefined,
): Promise<FanOut> {
  const receiving = await startChild('shout-receivers.ts', { side, count, pair } satisfies ReceiversArgument);
  const sending = await startChild('shout-sender.ts', {
    side,
    pair,
    receivers: await receiving.ask<readonly Receiver[]>('receivers'),
    smallBytes,
    largeBytes,
  } satisfies SenderArgument);
  const cpuMs = (child: Child) => child.ask<number>('cpu');

  return {
    async run(size, shouts) {
      await receiving.ask('expect', shouts);
      const spentMs = [await cpuMs(sending), await cpuMs(receiving)] as const;
      const startMs = await sending.ask<number>(size, shouts);
      const endMs = await receiving.ask<number>('done');
      const usOf = (ms: number) => (ms * 1_000) / (shouts * count);
      return {
        shoutsPerSecond: (shouts / (endMs - startMs)) * 1_000,
        sendUs: usOf((await cpuMs(sending)) - spentMs[0]),
        receiveUs: usOf((await cpuMs(receiving)) - spentMs[1]),
      };
    },
    async [Symbol.asyncDispose]() {
      await sending[Symbol.asyncDispose]();
      await receiving[Symbol.asyncDispose]();
    },
  };
}
