import { setTimeout as sleep } from 'node:timers/promises';
import { pick, type Random, randomInt } from '../../mesh/random.ts';
import { type Bits, createBits, indicatorOf } from './bits.ts';
import type { FleetNode } from './fleet.ts';
import type { Journal } from './journal.ts';
import { type PostAnswer, postIndicators } from './node-client.ts';

/** Above what a node waits for acks of others (5 s), so that its own answer comes first. */
const answerMsMax = 8_000;
/** Many, so that those who wait for a node that is suspended or cut off do not keep the rest from writing. */
const postsUnderWayMax = 500;
/** A node that did not take a write is left alone for so long, as a client of several nodes would. */
const avoidMs = 2_000;
const rowsOfALargePost = { min: 20, max: 100 } as const;
/** A fleet that is slower than the rate is not flooded with what it owes. */
const arrearsMsMax = 1_000;
const turnMs = 5;

/** An acknowledged post: numbers `first` to `first + rows - 1`. Kept as evidence for what is missing in the end. */
export type AcknowledgedPost = {
  readonly first: number;
  readonly rows: number;
  readonly node: number;
  readonly atMs: number;
  readonly event: string;
};

export type Written = {
  readonly acknowledged: Bits;
  readonly posts: readonly AcknowledgedPost[];
  /** How many numbers were used, with or without success. */
  readonly issued: number;
  /** By status code, or `timeout` and `error`. A 201 that no other node confirmed counts as `201 alone`. */
  readonly answers: ReadonlyMap<string, number>;
  readonly longestPause: { readonly ms: number; readonly endedAtMs: number };
};

export type Writers = {
  readonly written: Written;
  /** Ends the writing and waits for the posts under way. */
  stop(): Promise<void>;
};

export type WriterOptions = {
  readonly nodes: readonly FleetNode[];
  readonly journal: Journal;
  readonly random: Random;
  /** Indicators a second, over all posts. */
  readonly ratePerS: number;
  readonly ack: string;
  readonly run: string;
};

/** Writes to random nodes at a rate, half of the posts with one row, and keeps what was acknowledged. */
export function startWriters({ nodes, journal, random, ratePerS, ack, run }: WriterOptions): Writers {
  const acknowledged = createBits();
  const posts: AcknowledgedPost[] = [];
  const answers = new Map<string, number>();
  const avoidUntilMs = new Map<FleetNode, number>();
  const underWay = new Set<Promise<void>>();
  const longestPause = { ms: 0, endedAtMs: 0 };
  let lastAcknowledgedMs = journal.nowMs();
  let issued = 0;
  let allowance = 0;
  let stopped = false;

  const count = (answer: string): void => void answers.set(answer, (answers.get(answer) ?? 0) + 1);

  async function writeAll(): Promise<void> {
    let rows = nextRows();
    for (let beforeMs = journal.nowMs(); !stopped; ) {
      const nowMs = journal.nowMs();
      const allowanceMax = Math.max((ratePerS * arrearsMsMax) / 1_000, rowsOfALargePost.max);
      allowance = Math.min(allowance + (ratePerS * (nowMs - beforeMs)) / 1_000, allowanceMax);
      beforeMs = nowMs;
      while (allowance >= rows && underWay.size < postsUnderWayMax) {
        allowance -= rows;
        const posting: Promise<void> = post(rows).finally(() => underWay.delete(posting));
        underWay.add(posting);
        rows = nextRows();
      }
      await sleep(turnMs);
    }
  }

  function nextRows(): number {
    if (random.next() < 0.5) return 1;
    return rowsOfALargePost.min + randomInt(random, rowsOfALargePost.max - rowsOfALargePost.min + 1);
  }

  function nextNode(): FleetNode | undefined {
    const nowMs = journal.nowMs();
    const good = nodes.filter((node) => (avoidUntilMs.get(node) ?? 0) <= nowMs);
    return pick(random, good.length > 0 ? good : nodes);
  }

  async function post(rows: number): Promise<void> {
    const node = nextNode();
    if (node === undefined) return;
    // A number is never used again: what became of it is unknown without an answer.
    const first = issued;
    issued += rows;
    let answer: PostAnswer;
    try {
      const values = Array.from({ length: rows }, (_, i) => indicatorOf(first + i, run));
      answer = await postIndicators(node.url, ack, values, answerMsMax);
    } catch (error) {
      count(error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'error');
      return elsewhere(node, rows);
    }
    const { status, body } = answer;
    const reached = body.ack?.reached;
    const met = ack === 'local' ? reached === 'local' : typeof reached === 'number' && reached >= 1;
    if (status === 201 && met) {
      count('201');
      acknowledge({ first, rows, node: node.n, atMs: journal.nowMs(), event: body.events?.first ?? '' });
    } else if (status === 201) {
      // A node that is cut off counts itself as the whole mesh after a while.
      count('201 alone');
      elsewhere(node, rows);
    } else if (status === 202 || status === 503) {
      count(String(status));
      elsewhere(node, rows);
    } else {
      count(String(status));
      journal.problem(`answer ${status}`, `node ${node.n} answered ${status} to a good post: ${body.detail}`);
    }
    if (status >= 300) return;
    if (body.accepted !== rows || body.created !== rows || body.refused?.length !== 0)
      journal.problem(
        'rows',
        `node ${node.n} answered ${status} to ${rows} new rows: ${body.accepted} accepted, ${body.created} created`,
      );
  }

  function acknowledge(post: AcknowledgedPost): void {
    posts.push(post);
    for (let i = 0; i < post.rows; i++) acknowledged.add(post.first + i);
    pauseEnds(post.atMs);
  }

  function pauseEnds(atMs: number): void {
    const ms = atMs - lastAcknowledgedMs;
    if (ms > longestPause.ms) Object.assign(longestPause, { ms, endedAtMs: atMs });
    lastAcknowledgedMs = atMs;
  }

  /** The rows that were not acknowledged may go to another node at once, as new ones. */
  function elsewhere(node: FleetNode, rows: number): void {
    avoidUntilMs.set(node, journal.nowMs() + avoidMs);
    allowance += rows;
  }

  const writing = writeAll();
  return {
    written: {
      acknowledged,
      posts,
      answers,
      longestPause,
      get issued() {
        return issued;
      },
    },
    async stop() {
      // A fleet that acknowledges nothing any more pauses until now.
      pauseEnds(journal.nowMs());
      stopped = true;
      await writing;
      await Promise.all(underWay);
    },
  };
}
