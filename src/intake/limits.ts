/** What one submission may hold. */
export const intakeLimits = {
  /** As it stands in the body, before any decoding. */
  bodyBytesMax: 16 * 1024 * 1024,
  rowsMax: 50_000,
  /** A line of NDJSON, CSV or plain text, in UTF-16 units; a URL of 8,192 defanged at every dot still fits. */
  lineCharactersMax: 64 * 1024,
  /** A row is an object of texts, numbers and one list. */
  jsonDepthMax: 8,
  /** Rows that wait for the store, over all submissions; above it the answer is "later". */
  queuedRowsMax: 200_000,
  /** Rows that are parsed before other work gets its turn. */
  rowsPerTurn: 500,
  /** Rows of a stream that are taken together at most, and answered by one line; they are parsed in one turn. */
  rowsPerGroup: 500,
  /** One commit works its rows out in one go: 50,000 of them kept a node from its peers for 3 s, 2,000 for 0.2 s. */
  rowsPerCommit: 2_000,
} as const;
