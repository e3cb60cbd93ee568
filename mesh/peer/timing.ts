export type PeerTiming = {
  /** Silence after which we PING. libzyre: 5,000. */
  readonly evasiveAfterMs: number;
  /** Silence, PINGs and all, that is told of, and after which the peer is greeted anew. */
  readonly silentAfterMs: number;
  /** Silence after which a peer is gone. libzyre: 30,000. */
  readonly expiredAfterMs: number;
  /** Between PINGs to a silent peer. libzyre: its loop tick, 1,000. */
  readonly pingEveryMs: number;
  /** Between PINGs to a peer that talks, and needs none to be known alive: they measure the round trip. */
  readonly measureEveryMs: number;
  /**
   * First wait for an answer to our HELLO; doubles up to `greetEveryMsMax`. A HELLO is not lost while its connection lives, so
   * there is no hurry: where fifty nodes start at once on a busy machine, answers take longer than a second, and to greet anew
   * each second made so much work that they never met.
   */
  readonly greetEveryMs: number;
  readonly greetEveryMsMax: number;
  /** How long we go on greeting a peer that does not answer. */
  readonly giveUpAfterMs: number;
};

export const defaultTiming: PeerTiming = {
  evasiveAfterMs: 5_000,
  silentAfterMs: 15_000,
  expiredAfterMs: 30_000,
  pingEveryMs: 1_000,
  measureEveryMs: 15_000,
  greetEveryMs: 3_000,
  greetEveryMsMax: 8_000,
  giveUpAfterMs: 30_000,
};

/** A quiet peer that lives is heard this much later than we begin to ask for it, at most. */
const answerMsMax = 2_000;

/** When we PING a silent peer at the latest, beacons or not. */
export function pingAfterMsMax({ evasiveAfterMs, silentAfterMs }: PeerTiming): number {
  return (evasiveAfterMs + silentAfterMs) / 2;
}

/** Whoever was heard within this is here: PINGs make every peer that lives speak more often. */
export function quietMsMax(timing: PeerTiming): number {
  return pingAfterMsMax(timing) + answerMsMax;
}
