import { createHash } from 'node:crypto';

const markBytes = 6;

/**
 * A cursor: the place to go on from, and a mark of both it and the question that it belongs to, so that one that was cut or
 * changed is told from one that is whole. Opaque to those who hold it; it names keys, which are the same on every node.
 * Undefined when the text is no cursor of this question.
 */
export function readCursor(text: string, question: unknown): string | undefined {
  const bytes = Buffer.from(text, 'base64url');
  const place = bytes.subarray(markBytes);
  if (place.length === 0 || !bytes.subarray(0, markBytes).equals(markOf(question, place))) return undefined;
  return place.toString('utf8');
}

export function writeCursor(key: string, question: unknown): string {
  const place = Buffer.from(key, 'utf8');
  return Buffer.concat([markOf(question, place), place]).toString('base64url');
}

function markOf(question: unknown, place: Uint8Array): Buffer {
  const hash = createHash('sha256').update(JSON.stringify(question)).update('\n').update(place);
  return hash.digest().subarray(0, markBytes);
}
