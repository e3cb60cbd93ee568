import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../mesh/random.ts';
import { atExit } from '../support/at-exit.ts';
import { drawFaults, faultKinds, startFaults } from './faults.ts';
import { createFleet, type FleetNode } from './fleet.ts';
import type { Hosts } from './hosts.ts';
import { createJournal } from './journal.ts';
import { meshOf } from './node-client.ts';
import type { Options } from './options.ts';
import { inStep } from './rule.ts';
import { startSubscriber } from './subscriber.ts';
import { checkRecords, checkSubscribers, waitForAgreement } from './verdict.ts';
import { startWriters, type Written } from './writer.ts';

const upWithinMs = 60_000;
const progressEveryMs = 10_000;
const subscribersCount = 3;

/** A whole run, from an empty directory to the verdict; true when the fleet kept its promises. */
export async function runChaos(
  options: Options,
  hosts: Hosts,
  print: (line: string) => void,
): Promise<boolean> {
  const { nodes: nodesCount, minutes, ratePerS, seed, ack, eventLogMib } = options;
  const run = `s${seed}`;
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-chaos-'));
  const forget = atExit(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const journal = createJournal(print);
  print(
    `${nodesCount} nodes, ${hosts.what}; ${minutes} minutes, ${ratePerS} indicators/s with ack=${ack}; seed ${seed}`,
  );
  print(`replay its choice of faults: npm run chaos -- ${replayOf(options)}`);

  const env = eventLogMib === undefined ? {} : { TOCSIN_EVENT_LOG_MIB: String(eventLogMib) };
  {
    await using fleet = createFleet({ nodes: nodesCount, hosts, directory, env, journal });
    const { nodes } = fleet;
    for (const node of nodes) node.start();
    if (!(await inStep(nodes, upWithinMs, AbortSignal.timeout(upWithinMs)))) {
      journal.problem('start', `the nodes were not up within ${upWithinMs / 1_000} s`);
    } else {
      journal.say('all nodes are up');
      await faultsAndVerdict(nodes);
    }
  }

  async function faultsAndVerdict(nodes: readonly FleetNode[]): Promise<void> {
    const subscribers = Array.from({ length: subscribersCount }, (_, i) => {
      const patient = i % 2 === 0;
      return startSubscriber({
        name: `subscriber ${i + 1} (${patient ? 'waits for its node' : 'moves at once'})`,
        nodes,
        journal,
        random: seededRandom(seed + 2 + i),
        patient,
        logIsCut: eventLogMib !== undefined,
      });
    });
    const writers = startWriters({ nodes, journal, random: seededRandom(seed + 1), ratePerS, ack, run });
    const { written } = writers;
    const drawn = drawFaults(seededRandom(seed), faultKinds(hosts, ack));
    const faults = startFaults({ nodes, hosts, journal, faults: drawn });

    for (const endMs = journal.nowMs() + minutes * 60_000; journal.nowMs() < endMs; ) {
      await sleep(Math.min(progressEveryMs, endMs - journal.nowMs()));
      journal.say(await progressLine(nodes, written));
    }
    await faults.stop();
    await writers.stop();
    journal.say(`${faults.count} faults are over, nothing is written any more`);

    await waitForAgreement(nodes, journal);
    for (const node of nodes) await checkRecords(node, written, run, journal);
    await checkSubscribers(subscribers, written, run, journal);
    await Promise.all(subscribers.map((subscriber) => subscriber.stop()));

    const { longestPause } = written;
    journal.say(
      `${written.acknowledged.size} of ${written.issued} indicators were acknowledged (${answersOf(written)}); longest pause ` +
        `${(longestPause.ms / 1_000).toFixed(1)} s, up to ${(longestPause.endedAtMs / 1_000).toFixed(1)} s; ` +
        `longest way to ready ${(faults.longestToReadyMs / 1_000).toFixed(1)} s`,
    );
    if (written.acknowledged.size === 0)
      journal.problem('nothing', 'nothing was acknowledged, so nothing was tried');
  }

  const problems = journal.problems();
  forget();
  if (problems.length === 0) await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  print('');
  for (const problem of problems) print(`PROBLEM  ${problem}`);
  if (problems.length > 0)
    print(`logs and data stay in ${directory}; again: npm run chaos -- ${replayOf(options)}`);
  print(
    problems.length === 0
      ? 'verdict: good, nothing acknowledged was lost'
      : `verdict: BAD, ${problems.length} problems`,
  );
  return problems.length === 0;
}

async function progressLine(nodes: readonly FleetNode[], written: Written): Promise<string> {
  const views = await Promise.all(nodes.map(({ url }) => meshOf(url)));
  const ready = views.filter((view) => view?.ready).length;
  return `${written.acknowledged.size} acknowledged; answers ${answersOf(written)}; ${ready} of ${nodes.length} ready`;
}

function answersOf({ answers }: Written): string {
  return [...answers]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([answer, count]) => `${answer}: ${count}`)
    .join(', ');
}

function replayOf({ nodes, minutes, ratePerS, seed, ack, eventLogMib }: Options): string {
  const more = eventLogMib === undefined ? '' : ` --event-log-mib ${eventLogMib}`;
  return `--nodes ${nodes} --minutes ${minutes} --rate ${ratePerS} --ack ${ack} --seed ${seed}${more}`;
}
