/** What the client takes, holds and waits for at most: a node is a stranger until it has shown otherwise. */
export const clientLimits = {
  nodesMax: 100,
  /** Until an answer begins. */
  answerWithinMs: 30_000,
  /** Until the answer of a submission begins: it waits for the disks of other nodes. */
  submissionWithinMs: 120_000,
  /** Until a stream opens. */
  streamOpensWithinMs: 10_000,
  /** An answer that stops for so long in its middle is lost. */
  bodySilentAfterMs: 60_000,
  /** A node sends something every 15 s at least: after three of these a silent stream counts as dead. */
  streamSilentAfterMs: 45_000,
  /** 10,000 records of real feeds are 6 MiB; descriptions of 64 KiB are allowed. */
  answerBytesMax: 256 * 1024 * 1024,
  /** Of a problem (RFC 9457) as text. */
  problemBytesMax: 8 * 1024 * 1024,
  /** One event of a stream, or one line of NDJSON; a record is a few thousand at most, with all its texts 200,000. */
  lineCharactersMax: 1024 * 1024,
  /** The wait before the first attempt to connect again, and the longest. Each is drawn from 0 up to these (full jitter). */
  backoffMsFirst: 500,
  backoffMsMax: 10_000,
  /** A connection that holds for so long was a good one: the next wait is short again. */
  steadyAfterMs: 10_000,
  /** A node asks for some time by Retry-After; no more of it is given. */
  retryAfterMsDefault: 1_000,
  retryAfterMsMax: 60_000,
  /** Rounds through all nodes for one batch while they say that they are busy. */
  submitRoundsMax: 10,
  batchRowsDefault: 500,
  /** The node's own cap on one request. */
  batchRowsMax: 50_000,
  /** A quarter of what the node takes in one request (16 MiB), whatever the number of rows. */
  batchBytesMax: 4 * 1024 * 1024,
  /** Rows that come slowly wait for no more rows than come in this time. */
  batchWaitsMs: 1_000,
  /** Refused rows that a submission tells one by one; all are counted. */
  refusalsMax: 1_000,
  /** What a node takes in one search. */
  searchValuesMax: 1_000,
  /** Records in one request of a snapshot. */
  snapshotPageRecords: 5_000,
  /** Attempts at one page of a snapshot: no other node has the same place in the same stream. */
  snapshotAttemptsMax: 8,
  /**
   * Another node resumes two minutes early, and earlier by as long as the node before was out of step with its peers. What was handed
   * out is known for an hour at least, in time of events, or for as many as this: 40 MB at most, usually a few.
   */
  seenForMs: 60 * 60 * 1_000,
  /** Entries of one generation, of which there are two; 32 events in a row are one entry of about 100 bytes. */
  seenEntriesMax: 200_000,
} as const;
