const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Caps on webhook documents and on what is kept for each. Ours, unless a source is named. */
export const webhookLimits = {
  /** In a mesh; each costs its owner a reader of the stream. */
  webhooksMax: 200,
  nameCharactersMax: 100,
  urlCharactersMax: 2_048,
  filterCharactersMax: 2_048,
  bodyBytesMax: 16 * 1024,
  /** Standard Webhooks: 24 to 64 bytes. */
  secretBytes: 32,
  /** The events of one digest, UTF-8, as a document (64 KiB) keeps them. One event is shorter than a document. */
  keptBytesMax: 32 * 1024,
  deadMax: 1_000,
  deadKeptMs: 30 * dayMs,
  /** Longer than the event log keeps what could write it anew (a week), and than two clocks differ by. */
  removalKeptMs: 10 * dayMs,
  /** Longer than a message is retried for; then the document of one that nobody owned leaves by itself. */
  pendingKeptMs: 7 * dayMs,
  /** Of what a receiver said, in a document, a log line or an answer. */
  errorCharactersMax: 300,
} as const;

/** One request to a receiver. */
export const postLimits = {
  /** From the first question to DNS to the last byte that is read (Standard Webhooks: 15 to 30 s). */
  timeoutMs: 15 * secondMs,
  redirectsMax: 3,
  /** Of the answer's body; what matters is its status. */
  answerBytesMax: 16 * 1024,
  answerCharactersMax: 1_024,
  /** Addresses of one name that are tried. */
  addressesMax: 8,
} as const;

/** When what is sent. */
export const deliveryLimits = {
  /** Since it was first waited with (Standard Webhooks: days; here a day, then the dead letters). */
  retriedForMs: dayMs,
  retryFirstMs: 5 * secondMs,
  retryMaxMs: hourMs,
  /** Answers 4xx mean that the message will not be taken: once more after a mistake that was mended at once, and that is it. */
  refusedTriesMax: 3,
  retryAfterMaxMs: 6 * hourMs,
  /** Failures in a row that open the breaker. */
  breakerFailures: 5,
  probeFirstMs: 15 * secondMs,
  probeMaxMs: 5 * minuteMs,
  /** Over which those that wait are spread when a receiver is back. */
  recoverMs: 5 * secondMs,
  /** Events in memory for one webhook; then the stream is read no further, and keeps them. */
  waitingMax: 1_000,
  perWebhook: 4,
  perNode: 32,
  /** Events that progress remembers as settled. */
  settledMax: 2_000,
  /** Twice the margin that another node goes back by when it resumes. */
  settledKeptMs: 4 * minuteMs,
  /** Above so many new ones that wait, they go as digests. A program takes 50 events at a time and is told all of them. */
  digestAbove: 100,
  digestItemsMax: 50,
  /** Slack takes about one message a second per channel (https://api.slack.com/apis/rate-limits). */
  slackEveryMs: secondMs,
  /** People read no lists: of a flood they are told how many, and the first ones. */
  slackDigestAbove: 10,
  slackDigestCountMax: 100_000,
} as const;

/** How often an owner writes down how far it is, and how long it leaves the one before to do so. */
export const ownerLimits = {
  progressEveryMs: secondMs,
  /** While nothing was delivered; a newcomer goes back to it. */
  idleProgressEveryMs: hourMs,
  lookEveryMs: secondMs,
  settleMs: 2 * secondMs,
  /** How long requests under way may take when an owner ends; then the next one makes them again. */
  graceMs: 3 * secondMs,
} as const;
