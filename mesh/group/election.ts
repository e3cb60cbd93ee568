import type { PeerId } from '../ids.ts';

/**
 * The passive part in elections of groups (ELECT and LEADER, libzyre's draft): an echo algorithm with extinction, in which the
 * lowest id wins. We never stand, and never begin; but those who do wait for every peer of the group, so that one which does
 * not answer stalls the election. ELECT and LEADER go only to peers that sent one: others, such as pyre and zyre.js, take an
 * unknown kind for a lost message. So Tocsin nodes, which never begin, hear none from one another.
 *
 * Where libzyre counts messages, this holds who sent one: a message that comes twice changes nothing.
 */
export type Election = {
  /** The lowest candidate that we heard of ("caw"); undefined when no election is going on. */
  readonly candidate: PeerId | undefined;
  /** Who told us of it, and gets our echo when all others have told us too. */
  readonly father: PeerId | undefined;
  /** Who was told of the candidate by us. */
  readonly told: ReadonlySet<PeerId>;
  /** Who told us of it. */
  readonly heard: ReadonlySet<PeerId>;
  /** Who told us that it leads. */
  readonly led: ReadonlySet<PeerId>;
  /** Who was told by us who leads. */
  readonly announcedTo: ReadonlySet<PeerId>;
  /** Of the last message: an election in which nothing happens any more is forgotten. */
  readonly atMs: number;
};

export type Ballot = { readonly kind: 'elect' | 'leader'; readonly group: string; readonly id: PeerId };

export type ElectionContext = {
  readonly nowMs: number;
  /** The peers of the group that sent ELECT or LEADER, the sender of this one included. */
  readonly voters: readonly PeerId[];
};

export type ElectionStep = {
  readonly election: Election;
  /** What goes to whom. */
  readonly send: readonly { readonly to: PeerId; readonly ballot: Ballot }[];
};

/** Longer than any election that gets on; then another one begins as if there had been none. */
const staleAfterMs = 10_000;

export const noElection: Election = {
  candidate: undefined,
  father: undefined,
  told: new Set(),
  heard: new Set(),
  led: new Set(),
  announcedTo: new Set(),
  atMs: 0,
};

export function stepElection(
  election: Election,
  from: PeerId,
  ballot: Ballot,
  context: ElectionContext,
): ElectionStep {
  const isStale = context.nowMs - election.atMs >= staleAfterMs;
  const going: Election = { ...(isStale ? noElection : election), atMs: context.nowMs };
  return ballot.kind === 'elect'
    ? receiveElect(going, from, ballot, context)
    : receiveLeader(going, from, ballot, context);
}

/** A peer has left the group, or is gone: nothing is expected of it, and nobody elects it. */
export function withoutVoter(election: Election, id: PeerId): Election {
  // Whoever stands begins anew when a peer comes or goes.
  return election.candidate === id || election.father === id ? noElection : election;
}

function receiveElect(
  election: Election,
  from: PeerId,
  { group, id }: Ballot,
  context: ElectionContext,
): ElectionStep {
  const { candidate } = election;
  if (candidate !== undefined && id > candidate) return { election, send: [] };
  // A candidate that says so itself once more begins a new election.
  const isNew = candidate === undefined || id < candidate || (id === from && election.heard.has(from));
  const joined: Election = isNew
    ? { ...noElection, candidate: id, father: from, atMs: election.atMs }
    : election;
  const heard = new Set(joined.heard).add(from);
  const told = new Set(joined.told);
  const send: { readonly to: PeerId; readonly ballot: Ballot }[] = [];
  const tell = (to: PeerId): void => {
    if (told.has(to)) return;
    told.add(to);
    send.push({ to, ballot: { kind: 'elect', group, id } });
  };
  // Each voter hears of the candidate from us once: the father last, when all others have told us too.
  for (const voter of context.voters) if (voter !== joined.father) tell(voter);
  const isEcho = context.voters.every((voter) => heard.has(voter));
  if (isEcho && joined.father !== undefined) tell(joined.father);
  return { election: { ...joined, heard, told }, send };
}

function receiveLeader(
  election: Election,
  from: PeerId,
  { group }: Ballot,
  context: ElectionContext,
): ElectionStep {
  const { candidate } = election;
  if (candidate === undefined) return { election, send: [] };
  const led = new Set(election.led).add(from);
  const send = context.voters
    .filter((voter) => !election.announcedTo.has(voter))
    .map((to) => ({ to, ballot: { kind: 'leader', group, id: candidate } as const }));
  const announcedTo = new Set([...election.announcedTo, ...context.voters]);
  const isOver = context.voters.every((voter) => led.has(voter));
  return { election: isOver ? noElection : { ...election, led, announcedTo }, send };
}
