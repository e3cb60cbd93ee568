import type { Readable } from 'node:stream';

import { indicatorsOfLine } from '../../indicator/plain-line.ts';
import { splitLines } from '../submit/text.ts';

/** What a node takes in one search. */
const valuesAtOnce = 1_000;

/** The values that were named, in lots that a node takes; `-` stands for the lines of standard input. */
export async function* lotsOf(named: readonly string[], stdin: Readable): AsyncGenerator<readonly string[]> {
  let lot: string[] = [];
  for await (const value of valuesOf(named, stdin)) {
    lot.push(value);
    if (lot.length < valuesAtOnce) continue;
    yield lot;
    lot = [];
  }
  if (lot.length > 0) yield lot;
}

async function* valuesOf(named: readonly string[], stdin: Readable): AsyncGenerator<string> {
  for (const value of named) {
    if (value !== '-') {
      yield value;
      continue;
    }
    for await (const { text } of splitLines(decoded(stdin))) {
      yield* indicatorsOfLine(text);
    }
  }
}

async function* decoded(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}
