/** Caps on questions. Ours, unless a source is named. */
export const queryLimits = {
  /** Values in one `q`. More go into the body of a search. */
  valuesMax: 100,
  limitDefault: 500,
  limitMax: 10_000,
  /**
   * How many records one page may look at before it hands over a cursor, so that a rare match does not hold the node up:
   * 0.3 s of work.
   */
  scannedMax: 100_000,
  /** Records that are sorted in memory, when another order is asked for than the one they are stored in. */
  sortedMax: 10_000,
  /** Below, so many hashes begin alike by chance that nobody means them. */
  hashPrefixDigitsMin: 8,
  /** A pattern is matched piece by piece; names have 253 characters. */
  patternCharactersMax: 256,
} as const;

/** Caps on a search of many values. */
export const searchLimits = {
  valuesMax: 1_000,
  /** A thousand of the longest URLs. */
  bodyBytesMax: 8 * 1024 * 1024,
  /** Records of one value. */
  limitDefault: 100,
  limitMax: 1_000,
  /** Records of all values: about 20 MB of JSON. */
  recordsMax: 20_000,
} as const;
