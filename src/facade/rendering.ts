import { Problem } from './problem.ts';

/** Small chunks cost four times the CPU of large ones. */
const rowsPerChunk = 500;

const mediaTypes = [
  ['application/json', 'json'],
  ['text/csv', 'csv'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
] as const;

/** The format that an Accept header asks for (RFC 9110, section 12.5.1), by weight, then by its order. Throws Problem 406. */
export function negotiate(accept: string | undefined): 'json' | 'csv' | 'ndjson' {
  if (accept === undefined || accept.trim() === '') return 'json';
  const wanted = accept
    .split(',')
    .map((part) => {
      const [type, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const weight = parameters.find((text) => text.startsWith('q='))?.slice(2);
      return { type: type ?? '', weight: weight === undefined ? 1 : Number(weight) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  for (const { type } of wanted) {
    const found = mediaTypes.find(
      ([known]) => type === known || type === '*/*' || type === `${known.split('/')[0]}/*`,
    );
    if (found !== undefined) return found[1];
  }
  throw new Problem(406, `allowed are ${mediaTypes.map(([type]) => type).join(', ')}`);
}

/** A body rendered row by row as the client takes it, so that a large answer neither blocks the node nor fills its memory. */
export function chunked<T>(
  contentType: string,
  headers: Readonly<Record<string, string>>,
  rows: readonly T[],
  line: (row: T, i: number) => string,
  before = '',
  after = '',
): Response {
  const encoder = new TextEncoder();
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const lines = at === 0 ? [before] : [];
      const end = Math.min(at + rowsPerChunk, rows.length);
      for (; at < end; at++) {
        const row = rows[at];
        if (row !== undefined) lines.push(line(row, at));
      }
      if (at === rows.length) lines.push(after);
      controller.enqueue(encoder.encode(lines.join('')));
      if (at === rows.length) controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': contentType, vary: 'accept', ...headers } });
}
