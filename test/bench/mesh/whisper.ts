import { randomBytes } from 'node:crypto';
import { type CurvePair, curvePairOf } from 'tocsin/mesh';
import { median, quantile, type Row, round } from '../measure.ts';
import { startChild } from './child.ts';
import type { Receiver } from './side.ts';

export type EchoArgument = { readonly side: 'ours' | 'bare'; readonly pair: CurvePair | undefined };
export type AskerArgument = EchoArgument & { readonly echo: Receiver };

const runs = 10;
const roundTrips = 500;

/** A whisper of 300 bytes and its echo, one after another, beside two bare pairs of DEALER and ROUTER, in turn. */
export async function benchMeshWhisper(): Promise<readonly Row[]> {
  return [...(await benchPair(undefined)), ...(await benchPair(curvePairOf(randomBytes(32))))];
}

async function benchPair(pair: CurvePair | undefined): Promise<readonly Row[]> {
  await using ours = await startPair('ours', pair);
  await using bare = await startPair('bare', pair);
  await ours.run();
  await bare.run();
  const oursUs: number[] = [];
  const bareUs: number[] = [];
  for (let run = 0; run < runs; run++) {
    oursUs.push(...(await ours.run()));
    bareUs.push(...(await bare.run()));
  }
  const row = (name: string, of: (values: readonly number[]) => number): Row => [
    `whisper and its echo, ${name}${pair ? ', encrypted' : ''}`,
    `${round(of(oursUs))} µs`,
    `${round(of(bareUs))} µs zeromq.js alone`,
    round(of(oursUs) / of(bareUs), 2),
    'recorded',
  ];
  return [row('p50', median), row('p99', (values) => quantile(values, 0.99))];
}

async function startPair(
  side: 'ours' | 'bare',
  pair: CurvePair | undefined,
): Promise<AsyncDisposable & { run(): Promise<readonly number[]> }> {
  const echoing = await startChild('whisper-echo.ts', { side, pair } satisfies EchoArgument);
  const echo = await echoing.ask<Receiver>('address');
  const asking = await startChild('whisper-asker.ts', { side, pair, echo } satisfies AskerArgument);
  await echoing.ask('dial', await asking.ask<Receiver>('address'));
  return {
    run: () => asking.ask<readonly number[]>('roundTrips', roundTrips),
    async [Symbol.asyncDispose]() {
      await asking[Symbol.asyncDispose]();
      await echoing[Symbol.asyncDispose]();
    },
  };
}
