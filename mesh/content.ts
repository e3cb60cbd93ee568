import { MeshError } from './errors.ts';
import type { Frames } from './transport/transport.ts';

/** What a WHISPER or SHOUT carries: frames as they are, or one frame, of which text is UTF-8. */
export type Content = string | Uint8Array | Frames;

/** Throws MeshError NO_CONTENT for what a program without types may hand in. */
export function framesOf(content: Content): Frames {
  if (typeof content === 'string') return [Buffer.from(content)];
  if (content instanceof Uint8Array) return [content];
  if (Array.isArray(content)) return content;
  throw new MeshError('NO_CONTENT', 'content is text, bytes or frames of bytes: make JSON of anything else');
}

/** The first frame of a message as text (UTF-8); what is no UTF-8 becomes U+FFFD. */
export function textOf(content: Frames): string {
  const [frame] = content;
  return frame === undefined ? '' : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString();
}
