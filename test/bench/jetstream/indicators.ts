import type { Framing } from './side.ts';

const digits = 9;
const numbers = 10 ** digits;
/** Prime to 10^9: neighbours land far from each other, so that neither side has keys that come in order; none comes twice. */
const stride = 618_033_989;
const place = 'N'.repeat(digits);

const row = JSON.stringify({
  indicator: `http://host-${place}.example.com/wp-content/uploads/invoice.php?id=${place}`,
  itype: 'url',
  tlp: 'amber',
  tags: ['malware', 'phishing'],
  confidence: 8,
  description: 'A page that asks for credentials, loads a dropper',
  firsttime: '2026-01-01T00:00:00Z',
  lasttime: '2026-01-02T00:00:00Z',
  reference: 'https://example.net/2026/phishing',
});

/** Bytes of one indicator in JSON, without what stands between two. */
export const indicatorBytes = Buffer.byteLength(row);

export type Bodies = {
  /** A body that was never given before. */
  next(): Buffer;
};

let last = 0;

/**
 * Bodies of `rowsPerBody` indicators, different ones in all of this process. Only numbers are patched into a template: making
 * 100 objects a message would be the publisher's bottleneck, not the servers'.
 */
export function makeBodies(rowsPerBody: number, framing: Framing): Bodies {
  const rows = Array.from({ length: rowsPerBody }, () => row);
  const array = rowsPerBody === 1 ? row : `[${rows.join(',')}]`;
  const text = framing === 'lines' ? `${rows.join('\n')}\n` : array;
  const template = Buffer.from(text);
  const places: number[] = [];
  for (let at = template.indexOf(place); at !== -1; at = template.indexOf(place, at + digits))
    places.push(at);
  return {
    next() {
      const body = Buffer.from(template);
      for (const [i, at] of places.entries()) {
        // The number stands twice in a row.
        if (i % 2 === 0) last = (last + stride) % numbers;
        writeDigits(body, at, last);
      }
      return body;
    },
  };
}

/** What tells an indicator from every other one. */
export function numberOf(indicator: string): number {
  const start = 'http://host-'.length;
  return Number(indicator.slice(start, start + digits));
}

function writeDigits(body: Buffer, at: number, number: number): void {
  let rest = number;
  for (let i = at + digits - 1; i >= at; i--) {
    body[i] = 0x30 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
