import { createHash } from 'node:crypto';

/**
 * A cursor: the store key to go on from, and a mark of the question that it belongs to. Opaque to those who hold it.
 * Undefined when the text is no cursor of this question.
 */
export function readCursor(text: string, question: unknown): string | undefined {
  const bytes = Buffer.from(text, 'base64url');
  const mark = markOf(question);
  if (bytes.length <= mark.length || !bytes.subarray(0, mark.length).equals(mark)) return undefined;
  return bytes.subarray(mark.length).toString('utf8');
}

export function writeCursor(key: string, question: unknown): string {
  return Buffer.concat([markOf(question), Buffer.from(key, 'utf8')]).toString('base64url');
}

function markOf(question: unknown): Buffer {
  return createHash('sha256').update(JSON.stringify(question)).digest().subarray(0, 6);
}
