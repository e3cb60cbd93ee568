import type { Output } from './io.ts';
import { printable, printableLines } from './printable.ts';

/** A value as indented JSON, safe for a terminal: escapes are JSON's own. */
export function printableJson(value: unknown): string {
  return `${printableLines(JSON.stringify(value, undefined, 2))}\n`;
}

/** A value as one line of JSON, safe for a terminal. */
export function printableJsonLine(value: unknown): string {
  return `${printable(JSON.stringify(value))}\n`;
}

/**
 * Passes the body of an answer on as it comes. A file or a pipe gets the node's bytes; a terminal gets them with control
 * characters escaped.
 */
export async function passOn(body: AsyncIterable<Uint8Array>, output: Output): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    await output.write(output.isTTY ? printableLines(decoder.decode(chunk, { stream: true })) : chunk);
  }
}
