import { makeBodies } from './indicators.ts';
import { type Answer, nowMs, type Publisher } from './side.ts';

/** Messages under way at once: what NATS's own examples give `PublishAsyncMaxPending`. */
const windowMessages = 256;
/** What is under way at the end is given this long. */
const drainMsMax = 60_000;

export type Flood = {
  readonly startMs: number;
  /** Indicators. */
  readonly acknowledged: number;
  readonly unmet: number;
  readonly lastAnswerMs: number;
};

/** As fast as the window lets it, for `forMs`; then waits for what is under way. */
export async function flood(publisher: Publisher, rowsPerMessage: number, forMs: number): Promise<Flood> {
  const bodies = makeBodies(rowsPerMessage, publisher.framing);
  const counts = { acknowledged: 0, unmet: 0 };
  const startMs = nowMs();
  let lastAnswerMs = startMs;
  let underWay = 0;
  await settle('flood', forMs + drainMsMax, (drained) => {
    function send(): void {
      underWay++;
      publisher.publish(bodies.next(), answered);
    }
    function answered(answer: Answer): void {
      counts[answer] += rowsPerMessage;
      lastAnswerMs = nowMs();
      underWay--;
      if (lastAnswerMs - startMs < forMs) send();
      else if (underWay === 0) drained();
    }
    for (let i = 0; i < windowMessages; i++) send();
  });
  return { startMs, lastAnswerMs, ...counts };
}

export type Paced = {
  /** From when a message was due to leave to its answer, in ms. */
  readonly latenciesMs: readonly number[];
  /** When acknowledgements came, on `nowMs`. */
  readonly acknowledgedAtMs: readonly number[];
  readonly unmet: number;
};

/**
 * One indicator a message, `perSecond` of them, whatever the answers do: what is over the window waits, and its wait counts.
 * `isOver` is asked every ms, with when acknowledgements came so far.
 */
export async function pace(
  publisher: Publisher,
  perSecond: number,
  msMax: number,
  isOver: (startMs: number, acknowledgedAtMs: readonly number[]) => boolean,
): Promise<Paced> {
  const bodies = makeBodies(1, publisher.framing);
  const latenciesMs: number[] = [];
  const acknowledgedAtMs: number[] = [];
  const waiting: number[] = [];
  const startMs = nowMs();
  let unmet = 0;
  let underWay = 0;
  let due = 0;
  let over = false;

  function send(dueMs: number): void {
    underWay++;
    publisher.publish(bodies.next(), (answer) => {
      const atMs = nowMs();
      underWay--;
      if (answer === 'acknowledged') {
        latenciesMs.push(atMs - dueMs);
        acknowledgedAtMs.push(atMs);
      } else unmet++;
      fill();
    });
  }
  function fill(): void {
    while (underWay < windowMessages) {
      const dueMs = waiting.shift();
      if (dueMs === undefined) break;
      send(dueMs);
    }
  }
  await settle('pace', msMax + drainMsMax, (drained) => {
    const ticker = setInterval(() => {
      const atMs = nowMs();
      over ||= isOver(startMs, acknowledgedAtMs);
      // A message is due when the ticker hands it over: how exact Node's timers are is not what is measured.
      for (; !over && due < ((atMs - startMs) / 1_000) * perSecond; due++) waiting.push(atMs);
      fill();
      if (!over || underWay > 0) return;
      clearInterval(ticker);
      drained();
    }, 1);
  });
  return { latenciesMs, acknowledgedAtMs, unmet };
}

/** Starts something that calls back at its end; rejects when it has not by the deadline. */
function settle(what: string, deadlineMs: number, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`${what}: not all answered within ${deadlineMs} ms`)),
      deadlineMs,
    );
    start(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
