/** Caps on what is kept of feeds between two requests. Ours: with a million records a node stays under 300 MB. */
export const feedLimits = {
  /** Large buffers cost less than small ones; a row that changes costs the copy of its chunk. */
  rowsPerChunk: 1_000,
  /** Rows of one kept feed: a page of the largest size, and what is needed to see that there is more. */
  rowsKeptMax: 102_000,
  /** Values that are left out and must be looked at again: allow-listed, too large, or out only for now. */
  asideMax: 100_000,
  /** Values that changed between two requests; after more of them a feed is read anew. */
  changedMax: 20_000,
  /** Feeds kept, and their bytes together. The one asked for last is always kept. */
  feedsKept: 8,
  keptBytesMax: 64 * 1024 * 1024,
  /** Pages of one feed whose cut and digest are kept as long as it does not change. */
  pagesMax: 16,
  /** Feeds that read the store at once. */
  readingMax: 2,
  /** Values that are read at once. */
  valuesAtOnce: 128,
} as const;
