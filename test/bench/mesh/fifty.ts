import { median, type Row, round } from '../measure.ts';
import { startChild } from './child.ts';

export type FleetArgument = { readonly count: number };

const count = 50;
const runs = 3;
const settleMs = 5_000;
const idleMs = 15_000;
/** As defaultTiming has it. */
const expiredAfterMs = 30_000;
const fullMeshMsBar = 3_000;

/** 50 nodes of one process that meet by the gossip of the first, and one more in a process of its own, which is measured. */
export async function benchMeshFifty(): Promise<readonly Row[]> {
  const metMs: number[] = [];
  for (let run = 1; run < runs; run++) {
    await using fleet = await startChild('fifty-fleet.ts', { count } satisfies FleetArgument);
    metMs.push(await fleet.ask<number>('meet'));
  }
  await using fleet = await startChild('fifty-fleet.ts', { count } satisfies FleetArgument);
  metMs.push(await fleet.ask<number>('meet'));

  const one = await startChild('fifty-one.ts', null);
  // A node without peers that lives as long: what a process gets and gives back by itself is no peer's.
  await using twin = await startChild('fifty-one.ts', null);
  const { id, joinMs } = await one.ask<{ id: string; joinMs: number }>('join', {
    seed: await fleet.ask<string>('seed'),
    count,
  });
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const peersBytes = (await one.ask<number>('rss')) - (await twin.ask<number>('rss'));
  const spentMs = await one.ask<number>('cpu');
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const cpuPercent = (((await one.ask<number>('cpu')) - spentMs) / idleMs) * 100;

  const killedMs = await fleet.ask<number>('now');
  await one.kill();
  const goneMs = (await fleet.ask<number>('gone', id)) - killedMs;
  return [
    row(
      `${count} nodes in one process until all know all (gossip, one seed)`,
      `${round(median(metMs))} ms, at worst ${round(Math.max(...metMs))} ms`,
      `< ${round(fullMeshMsBar)} ms`,
    ),
    row(`one more, until it knows the ${count}`, `${round(joinMs)} ms`, 'recorded'),
    row(
      'killed, until it is gone from every view',
      `${round(goneMs / 1_000, 1)} s`,
      `< ${expiredAfterMs / 1_000 + 1} s`,
    ),
    row(`CPU at rest, ${count} peers`, `${round(cpuPercent, 2)} % of a core`, '< 2 %'),
    row('RSS a peer', `${round(peersBytes / count / 1_024)} KiB`, '< 200 KiB'),
  ];
}

function row(what: string, measured: string, bar: string): Row {
  return [what, measured, '–', '–', bar];
}
