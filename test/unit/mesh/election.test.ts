import { expect, test } from 'vitest';
import type { Ballot } from '../../../mesh/group/election.ts';
import { createElections } from '../../../mesh/group/elections.ts';
import type { PeerId } from '../../../mesh/ids.ts';
import { seededRandom } from '../../../mesh/random.ts';
import { simulatedClock } from '../../../mesh/transport/simulated.ts';

const group = 'CHAT';

/** A node of an election: ours, or one that stands. */
type Voter = {
  readonly id: PeerId;
  receive(from: PeerId, ballot: Ballot): void;
  begin?(): void;
  gone(id: PeerId): void;
  leader?: PeerId | undefined;
};

/** libzyre's side of it, as its protocol is written down: it counts, and expects every peer of the group to answer. */
function contester(
  id: PeerId,
  others: () => readonly PeerId[],
  send: (to: PeerId, ballot: Ballot) => void,
): Voter {
  let caw: PeerId | undefined;
  let father: PeerId | undefined;
  let erec = 0;
  let lrec = 0;
  const voter: Voter = {
    id,
    begin() {
      [caw, father, erec, lrec] = [id, undefined, 0, 0];
      for (const to of others()) send(to, { kind: 'elect', group, id });
    },
    gone() {},
    receive(from, { kind, id: of }) {
      const n = others().length;
      if (kind === 'elect') {
        if (caw === undefined || of < caw) {
          [caw, father, erec, lrec] = [of, from, 0, 0];
          for (const to of without(others(), from)) send(to, { kind: 'elect', group, id: of });
        }
        if (of !== caw) return;
        erec++;
        if (erec !== n) return;
        if (caw === id) for (const to of others()) send(to, { kind: 'leader', group, id });
        else if (father !== undefined) send(father, { kind: 'elect', group, id: caw });
        return;
      }
      if (caw === undefined) return;
      if (of !== id && lrec === 0) for (const to of others()) send(to, { kind: 'leader', group, id: caw });
      lrec++;
      if (lrec === n) {
        voter.leader = of;
        caw = undefined;
      }
    },
  };
  return voter;
}

function without(ids: readonly PeerId[], except: PeerId): readonly PeerId[] {
  return ids.filter((id) => id !== except);
}

/** `kinds`: for each node `c` for one that stands, `p` for libzyre that does not, `t` for ours. */
function world(kinds: string, seed: number) {
  const random = seededRandom(seed);
  const clock = simulatedClock(0);
  const ids = [...kinds].map((_, i) => `${(i + 1).toString(16)}`.repeat(32).toUpperCase() as PeerId);
  const present = new Set(ids);
  const lanes = new Map<string, number>();
  const sent: { readonly from: PeerId; readonly to: PeerId }[] = [];
  const voters = new Map<PeerId, Voter>();

  function sender(from: PeerId) {
    return (to: PeerId, ballot: Ballot) => {
      sent.push({ from, to });
      const lane = `${from}${to}`;
      const atMs = Math.max(lanes.get(lane) ?? 0, clock.monotonicMs() + 5 + random.next() * 50);
      lanes.set(lane, atMs);
      clock.after(atMs - clock.monotonicMs(), () => {
        if (present.has(to) && present.has(from)) voters.get(to)?.receive(from, ballot);
      });
    };
  }
  for (const [i, id] of ids.entries()) {
    const others = () => without([...present], id);
    if (kinds[i] === 't') {
      const elections = createElections({
        clock,
        isOurs: () => true,
        isIn: (peer) => present.has(peer),
        send: sender(id),
      });
      voters.set(id, { id, ...elections });
    } else voters.set(id, contester(id, others, sender(id)));
  }
  return {
    ids,
    voters,
    sent,
    run: () => {
      while (clock.step());
    },
    begin(id: PeerId) {
      // All that stand begin when a peer joins, before they hear of one another: libzyre's rules count what is late.
      clock.after(random.next() * 5, () => voters.get(id)?.begin?.());
    },
    leave(id: PeerId) {
      present.delete(id);
      for (const voter of voters.values()) voter.gone(id);
    },
  };
}

const fleets = ['tct', 'ctc', 'ttcc', 'pcttp', 'ctcpt', 'cccct', 'tctct', 'tpcpc'];

test.each(fleets)('%s: those that stand agree on the lowest of them, though ours never stands', (kinds) => {
  for (let seed = 1; seed <= 200; seed++) {
    const { ids, voters, sent, run, begin } = world(kinds, seed);
    const standing = ids.filter((_, i) => kinds[i] === 'c');
    for (const id of standing) begin(id);
    run();
    const ours = new Set(ids.filter((_, i) => kinds[i] === 't'));
    for (const [i, id] of ids.entries()) {
      if (kinds[i] !== 't')
        expect(voters.get(id)?.leader, `${kinds}, seed ${seed}, node ${i}`).toBe(standing[0]);
    }
    expect(sent.filter(({ from, to }) => ours.has(from) && ours.has(to))).toEqual([]);
  }
});

test('the leader goes, and the next election is not held up by what we remember of the last one', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const { ids, voters, run, begin, leave } = world('ctct', seed);
    const [first, , third] = ids;
    if (first === undefined || third === undefined) throw new Error('too few');
    for (const id of [first, third]) begin(id);
    run();
    expect(voters.get(third)?.leader).toBe(first);
    leave(first);
    begin(third);
    run();
    expect(voters.get(third)?.leader, `seed ${seed}`).toBe(third);
  }
});

test('the same candidate is elected again and again, as when peers join', () => {
  const { ids, voters, run, begin } = world('tcpt', 3);
  const candidate = ids[1];
  if (candidate === undefined) throw new Error('too few');
  for (let round = 0; round < 5; round++) {
    const voter = voters.get(candidate);
    if (voter) voter.leader = undefined;
    begin(candidate);
    run();
    expect(voter?.leader, `round ${round}`).toBe(candidate);
  }
});
