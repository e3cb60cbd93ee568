import fc from 'fast-check';
import { expect, test } from 'vitest';

import { sseParser } from '../../../src/client/sse.ts';

const text =
  '\u{1f514}: comment\r\nid: 1\nevent: a\ndata: x\rdata:  y\r\n\r\n: alive\nid: 2\n\nretry: 5\n\ndata\nid: \0\nunknown: z\n\nevent: b\n\n' +
  'data: in the middle';
const events = [
  { id: '1', event: 'a', data: 'x\n y' },
  { id: '2', event: '', data: undefined },
  { id: undefined, event: '', data: '' },
];

test('events are the same however their text is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 20 }), (cuts) => {
      const parser = sseParser();
      const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      const found = edges.slice(1).flatMap((end, i) => parser.feed(text.slice(edges[i], end)) ?? []);
      expect(found).toEqual(events);
    }),
  );
});

test('an event without an end is not gathered for ever', () => {
  for (const line of ['x'.repeat(1_000), `data: ${'x'.repeat(1_000)}\n`]) {
    const parser = sseParser();
    let pieces = 0;
    while (parser.feed(line) !== undefined) pieces++;
    expect(pieces).toBeGreaterThan(1_000);
    expect(pieces).toBeLessThan(1_100);
  }
});
