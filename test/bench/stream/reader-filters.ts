const tagsCount = 50;
const confidences = 10;

/** What readers with different filters are told apart by. */
export function tagOf(n: number): number {
  return n % tagsCount;
}

export function confidenceOf(n: number): number {
  return Math.floor(n / tagsCount) % confidences;
}

/** No two of 500 readers ask the same. One alone asks for everything. */
export function pathOf(reader: number, count: number): string {
  if (count === 1) return '/stream';
  return `/stream?tags=tag-${tagOf(reader)}&confidence=${confidenceOf(reader)}`;
}
