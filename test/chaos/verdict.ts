import { setTimeout as sleep } from 'node:timers/promises';
import { createBits, indicatorOf, numberOf } from './bits.ts';
import type { FleetNode } from './fleet.ts';
import type { Journal } from './journal.ts';
import { digestOf, meshOf, recordsOf } from './node-client.ts';
import type { Subscriber } from './subscriber.ts';
import type { Written } from './writer.ts';

const agreeWithinMs = 120_000;
const streamsWithinMs = 60_000;
const askEveryMs = 2_000;
/** Of what is missing so many are named. */
const samplesMax = 5;

/**
 * All nodes must be ready with equal digests within 120 s, and stay so from one look to the next: posts that their writers
 * gave up may still be worked off.
 */
export async function waitForAgreement(nodes: readonly FleetNode[], journal: Journal): Promise<void> {
  const startMs = journal.nowMs();
  let before: string | undefined;
  for (;;) {
    const views = await Promise.all(nodes.map(({ url }) => meshOf(url)));
    let state = views.map(
      (view, i) => `node ${i + 1}: ${view ? `${view.reason}, ${view.records} records` : 'no answer'}`,
    );
    // A digest reads everything, so it is only asked for when it may be equal.
    if (views.every((view) => view?.ready) && new Set(views.map((view) => view?.records)).size === 1) {
      const digests = await Promise.all(nodes.map(({ url }) => digestOf(url)));
      const [first] = digests;
      const agreed = new Set(digests).size === 1 ? first : undefined;
      if (agreed !== undefined && agreed === before) {
        const tookS = ((journal.nowMs() - startMs) / 1_000).toFixed(1);
        journal.say(`all nodes are ready and agree after ${tookS} s: ${agreed}`);
        return;
      }
      before = agreed;
      state = digests.map((digest, i) => `node ${i + 1}: ${digest ?? 'no answer'}`);
    }
    if (journal.nowMs() - startMs > agreeWithinMs)
      return journal.problem(
        'no agreement',
        `no agreement within ${agreeWithinMs / 1_000} s: ${state.join('; ')}`,
      );
    await sleep(askEveryMs);
  }
}

/** Everything acknowledged is on the node, once. */
export async function checkRecords(
  node: FleetNode,
  written: Written,
  run: string,
  journal: Journal,
): Promise<void> {
  const found = createBits();
  let unknown = 0;
  try {
    for await (const { indicator, count } of recordsOf(node.url)) {
      const n = numberOf(indicator);
      if (n === undefined || n >= written.issued) unknown += 1;
      else if (!found.add(n)) journal.problem('listed twice', `node ${node.n} lists ${indicator} twice`);
      if (count !== 1)
        journal.problem('count', `node ${node.n} counts ${indicator} ${count} times; it was written once`);
    }
  } catch (error) {
    return journal.problem('records', `node ${node.n} does not list its records: ${String(error)}`);
  }
  if (unknown > 0) journal.problem('unknown', `node ${node.n} holds ${unknown} records that nobody wrote`);
  const missing = missingFrom(found, written);
  if (missing.count > 0)
    journal.problem(
      'lost',
      `node ${node.n} lacks ${missing.count} of ${written.acknowledged.size} acknowledged: ${missing.text(run)}`,
    );
  journal.say(
    `node ${node.n}  holds ${found.size} records, ${written.acknowledged.size - missing.count} of ${written.acknowledged.size} acknowledged`,
  );
}

/** Everything acknowledged was shown to every subscriber; all together are given some time to read to the end. */
export async function checkSubscribers(
  subscribers: readonly Subscriber[],
  written: Written,
  run: string,
  journal: Journal,
): Promise<void> {
  const endMs = journal.nowMs() + streamsWithinMs;
  const behind = (): boolean => subscribers.some(({ seen }) => missingFrom(seen, written).count > 0);
  while (behind() && journal.nowMs() < endMs) await sleep(askEveryMs);
  for (const subscriber of subscribers) checkSubscriber(subscriber, written, run, journal);
}

function checkSubscriber(subscriber: Subscriber, written: Written, run: string, journal: Journal): void {
  const missing = missingFrom(subscriber.seen, written);
  const { name, seen, counts } = subscriber;
  if (missing.count > 0)
    journal.problem(
      'not shown',
      `${name} was never shown ${missing.count} acknowledged: ${missing.text(run)}`,
    );
  journal.say(
    `${name}  saw ${seen.size} indicators in ${counts.events} events, moved ${counts.moves} times, ` +
      `${counts.resets} resets, ${counts.gaps} gaps`,
  );
}

type Missing = { readonly count: number; text(run: string): string };

function missingFrom(bits: { has(n: number): boolean }, { posts }: Written): Missing {
  let count = 0;
  const samples: { readonly n: number; readonly post: Written['posts'][number] }[] = [];
  for (const post of posts) {
    for (let n = post.first; n < post.first + post.rows; n++) {
      if (bits.has(n)) continue;
      count += 1;
      // Of each post one, so that the samples tell of different moments.
      if (samples.length < samplesMax && samples.at(-1)?.post !== post) samples.push({ n, post });
    }
  }
  return {
    count,
    text: (run) =>
      samples
        .map(({ n, post }) => {
          const at = `${(post.atMs / 1_000).toFixed(1)} s`;
          return `${indicatorOf(n, run)} (node ${post.node}, ${at}, of ${post.rows} from event ${post.event})`;
        })
        .join(', '),
  };
}
