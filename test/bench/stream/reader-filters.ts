const tagsCount = 50;
const confidences = 10;

/** What readers with different filters are told apart by. */
export function tagOf(n: number): number {
  return n % tagsCount;
}

export function confidenceOf(n: number): number {
  return Math.floor(n / tagsCount) % confidences;
}

/** No two of 500 readers ask the same. */
export function pathOf(reader: number): string {
  return `/stream?tags=tag-${tagOf(reader)}&confidence=${confidenceOf(reader)}`;
}
