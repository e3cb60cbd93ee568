/** Caps on what `tocsin submit` holds and sends at once. */
export const submitLimits = {
  /** Read before the format is decided. */
  sampleCharacters: 64 * 1024,
  /** A longer line is refused; the longest URLs of real feeds are 8 KiB. */
  lineCharactersMax: 1024 * 1024,
  /** Lines that a quoted cell of CSV may spread over; a quote open for longer is one that nobody closed. */
  recordLinesMax: 100,
  /** Lines of CSV that are parsed at once: one by one costs three times as much. */
  csvLinesAtOnce: 200,
  /** Remarks before the first row that are kept, as the last of them may be the header. */
  bannerLinesMax: 100,
  /** Names of members on the way to the rows. */
  jsonNameCharactersMax: 256,
  /** One element of a JSON array. */
  jsonValueCharactersMax: 1024 * 1024,
  batchRowsDefault: 500,
  /** The node's own cap on one request. */
  batchRowsMax: 50_000,
  /** Refused rows of one kind that the summary shows. */
  examplesMax: 3,
  /** A terminal's progress line is drawn at most this often; a file gets a line this often. */
  drawEveryMs: 100,
  noteEveryMs: 5_000,
} as const;
