import { median, type Row, round } from '../measure.ts';

export type Rate = {
  readonly acknowledgedPerSecond: number;
  readonly heardPerSecond: number;
  readonly unmet: number;
  /** Server by server, of which the first is written to. */
  readonly cpuMicroseconds: readonly number[];
  /** Publisher and subscriber: no part of a side, but they share its cores. */
  readonly clientMicroseconds: readonly number[];
};

/** What one way of publishing reaches. */
export type Speed = {
  readonly single: Rate;
  readonly hundred: Rate;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly unmet: number;
};

export type Run = Speed & {
  /** The same with a request for each message, where that is another way. */
  readonly requests?: Speed;
  readonly rssMegabytes: readonly number[];
  /** Server by server that was killed. */
  readonly pausesMs: readonly number[];
};

/** One run in lines, with what the table leaves out. */
export function report(name: string, run: Run): void {
  reportSpeed(name, run);
  if (run.requests) reportSpeed(`${name} by requests`, run.requests);
  console.log(`  ${name}: pauses ${list(run.pausesMs)} ms; RSS ${list(run.rssMegabytes)} MB`);
}

function reportSpeed(name: string, { single, hundred, p50Ms, p99Ms, unmet }: Speed): void {
  for (const [what, rate] of [
    ['1', single],
    ['100', hundred],
  ] as const) {
    console.log(
      `  ${name}, ${what} a publish: ${round(rate.acknowledgedPerSecond)}/s acknowledged, ` +
        `${round(rate.heardPerSecond)}/s heard, ${rate.unmet} not acknowledged; ` +
        `CPU ${list(rate.cpuMicroseconds, 1)} µs an indicator, ${list(rate.clientMicroseconds, 1)} in the clients`,
    );
  }
  console.log(
    `  ${name}, paced: p50 ${round(p50Ms, 2)} ms, p99 ${round(p99Ms, 2)} ms, ${unmet} not acknowledged`,
  );
}

/** Medians; a ratio is the median of the ratios of runs that stood beside each other. */
export function rowsOf(ours: readonly Run[], theirs: readonly Run[]): readonly Row[] {
  function row(what: string, unit: string, of: (run: Run) => number, bar: string, digits = 0): Row {
    const ratios = ours.map((run, i) => of(run) / of(theirs[i] ?? run));
    return [
      what,
      `${round(median(ours.map(of)), digits)}${unit}`,
      `${round(median(theirs.map(of)), digits)}${unit} JetStream R=3`,
      round(median(ratios), 2),
      bar,
    ];
  }
  const unmet = sum(ours.flatMap((run) => [run, run.requests ?? []].flat().map(unmetOf)));
  return [
    row('acknowledged, 1 a publish', '/s', ({ single }) => single.acknowledgedPerSecond, '≥ 1.0'),
    row('heard at another node, 1 a publish', '/s', ({ single }) => single.heardPerSecond, 'recorded'),
    row('acknowledged, 100 a publish', '/s', ({ hundred }) => hundred.acknowledgedPerSecond, '≥ 0.5'),
    row('heard at another node, 100 a publish', '/s', ({ hundred }) => hundred.heardPerSecond, 'recorded'),
    row('to acknowledgement at 2,000/s, p50', ' ms', ({ p50Ms }) => p50Ms, '≤ 1.0', 2),
    row('to acknowledgement at 2,000/s, p99', ' ms', ({ p99Ms }) => p99Ms, '≤ 1.0', 2),
    row(
      'a request each: acknowledged, 1',
      '/s',
      byRequests(({ single }) => single.acknowledgedPerSecond),
      'recorded',
    ),
    row(
      'a request each: acknowledged, 100',
      '/s',
      byRequests(({ hundred }) => hundred.acknowledgedPerSecond),
      'recorded',
    ),
    row(
      'a request each: to acknowledgement at 2,000/s, p50',
      ' ms',
      byRequests(({ p50Ms }) => p50Ms),
      'recorded',
      2,
    ),
    row(
      'a request each: to acknowledgement at 2,000/s, p99',
      ' ms',
      byRequests(({ p99Ms }) => p99Ms),
      'recorded',
      2,
    ),
    row('longest pause, a node is killed', ' ms', ({ pausesMs }) => Math.max(...pausesMs), '< 500 ms'),
    row('CPU of all servers, 1 a publish', ' µs', ({ single }) => sum(single.cpuMicroseconds), 'recorded'),
    row(
      'CPU of all servers, 100 a publish',
      ' µs',
      ({ hundred }) => sum(hundred.cpuMicroseconds),
      'recorded',
    ),
    row('RSS of all servers', ' MB', (run) => sum(run.rssMegabytes), 'recorded'),
    ['answered 202, in all runs', `${unmet}`, '–', '–', '0'],
  ];
}

/** Of a side that has one way only, that way. */
function byRequests(of: (speed: Speed) => number): (run: Run) => number {
  return (run) => of(run.requests ?? run);
}

function unmetOf({ single, hundred, unmet }: Speed): number {
  return single.unmet + hundred.unmet + unmet;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function list(values: readonly number[], digits = 0): string {
  return values.map((value) => round(value, digits)).join(' + ');
}
