/** What replication may take, and how long it waits. */
export const replicateLimits = {
  /** What one request may bring: the window in which a slow receiver can stop the sender. */
  creditBytes: 1024 * 1024,
  /** What may be on its way into the store before more is asked for: the next window travels while this one is written. */
  pendingEventsMax: 20_000,
  /** The largest window that we serve, whatever a peer asks for. */
  creditBytesMax: 4 * 1024 * 1024,
  /** One message of batches; a batch is at most 256 KiB. */
  messageBytesMax: 512 * 1024,
  /** Batches in one message; the mesh takes 64 frames. */
  messageBatchesMax: 60,
  /** An answer that does not come is asked of somebody else. */
  answerMsMax: 5_000,
  /** What a submission waits for other nodes before it is answered with what was reached. */
  ackMsMax: 5_000,
  /** A node that lacks more events than this, and so many times what it holds, takes a snapshot rather than the log. */
  snapshotEventsMin: 5_000,
  snapshotFactor: 4,
  /** One chunk of a snapshot, and what may be on its way. */
  chunkBytes: 256 * 1024,
  snapshotCreditBytes: 2 * 1024 * 1024,
  /** Peers that may read a snapshot here at once. */
  snapshotReadersMax: 4,
  /** The longest key of a record. */
  keyCharactersMax: 20_000,
  /** After a snapshot: which events are fetched for the log and the stream, how many, and how long readiness waits. */
  backfillAgeMs: 15 * 60_000,
  backfillEventsMax: 100_000,
  backfillMsMax: 30_000,
  /** How long two logs have not met before one of the two takes a snapshot: some other peer may still have what is missing. */
  severedAfterMs: 10_000,
  /** Anti-entropy: how often a node compares its vector with a random peer's, give or take a fifth. */
  compareEveryMs: 2_000,
  /** A newcomer that hears of nobody for so long is on its own, and ready. */
  aloneAfterMs: 400,
  /** How often the log says again that a clock is wrong. */
  warnEveryMs: 60_000,
  /** Batches from the future that are remembered, so that they are not fetched again and again. */
  heldBackMax: 1_000,
  /** Vector and requests of a peer, encoded. */
  vectorBytesMax: 1024 * 1024,
} as const;

/** Handed in, so that a simulated fleet of a few hundred events meets what takes a real one millions. */
export type ReplicateLimits = { readonly [Name in keyof typeof replicateLimits]: number };
