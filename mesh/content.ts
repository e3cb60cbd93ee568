import type { Frames } from './transport/transport.ts';

/** What a WHISPER or SHOUT carries: frames as they are, or one frame, of which text is UTF-8. */
export type Content = string | Uint8Array | Frames;

export function framesOf(content: Content): Frames {
  if (typeof content === 'string') return [Buffer.from(content)];
  return content instanceof Uint8Array ? [content] : content;
}

/** The first frame of a message as text (UTF-8); what is no UTF-8 becomes U+FFFD. */
export function textOf(content: Frames): string {
  const [frame] = content;
  return frame === undefined ? '' : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString();
}
