import type { Clock } from '../clock.ts';
import type { PeerId } from '../ids.ts';
import { type Ballot, type Election, noElection, stepElection, withoutVoter } from './election.ts';

export type ElectionsParts = {
  readonly clock: Clock;
  /** Whether we are in a group. */
  readonly isOurs: (group: string) => boolean;
  readonly isIn: (peer: PeerId, group: string) => boolean;
  readonly send: (to: PeerId, ballot: Ballot) => void;
};

/** The elections in our groups, each for as long as it goes on: so there are no more of them than groups of ours. */
export interface Elections {
  receive(from: PeerId, ballot: Ballot): void;
  left(peer: PeerId, group: string): void;
  gone(peer: PeerId): void;
}

export function createElections({ clock, isOurs, isIn, send }: ElectionsParts): Elections {
  const elections = new Map<string, Election>();
  /** Peers that sent ELECT or LEADER since they entered. */
  const voters = new Set<PeerId>();

  function keep(group: string, election: Election): void {
    if (election.candidate === undefined) elections.delete(group);
    else elections.set(group, election);
  }

  function left(peer: PeerId, group: string): void {
    const election = elections.get(group);
    if (election !== undefined) keep(group, withoutVoter(election, peer));
  }

  return {
    receive(from, ballot) {
      voters.add(from);
      const { group } = ballot;
      if (!isOurs(group) || !isIn(from, group)) return;
      const step = stepElection(elections.get(group) ?? noElection, from, ballot, {
        nowMs: clock.monotonicMs(),
        voters: [...voters].filter((voter) => isIn(voter, group)),
      });
      keep(group, step.election);
      for (const { to, ballot: told } of step.send) send(to, told);
    },
    left,
    gone(peer) {
      voters.delete(peer);
      for (const group of [...elections.keys()]) left(peer, group);
    },
  };
}
