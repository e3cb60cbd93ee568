import { MeshError } from './errors.ts';
import type { MeshLimits } from './limits.ts';
import type { Frames } from './transport/transport.ts';

/** What a WHISPER or SHOUT carries: frames as they are, or one frame, of which text is UTF-8. */
export type Content = string | Uint8Array | Frames;

/** Throws MeshError NO_CONTENT, or TOO_LARGE for what a peer with our limits would refuse. */
export function framesOf(content: Content, limits: MeshLimits): Frames {
  const frames = framed(content);
  checkFrames(frames, limits);
  return frames;
}

/** A program without types may hand in anything. */
function framed(content: Content): Frames {
  if (typeof content === 'string') return [Buffer.from(content)];
  if (content instanceof Uint8Array) return [content];
  if (Array.isArray(content)) return content;
  throw new MeshError('NO_CONTENT', 'content is text, bytes or frames of bytes: make JSON of anything else');
}

function checkFrames(content: Frames, limits: MeshLimits): void {
  if (content.length === 0) {
    throw new MeshError(
      'NO_CONTENT',
      'a message needs one frame of content or more: an empty one says nothing',
    );
  }
  const tooLarge = content.some((frame) => !(frame.byteLength <= limits.contentFrameBytesMax));
  if (tooLarge || content.length >= limits.framesMax) {
    throw new MeshError(
      'TOO_LARGE',
      `content is at most ${limits.framesMax - 1} frames of bytes, each of up to ${limits.contentFrameBytesMax}: send it in parts`,
    );
  }
}

/** The first frame of a message as text (UTF-8); what is no UTF-8 becomes U+FFFD. */
export function textOf(content: Frames): string {
  const [frame] = content;
  return frame === undefined ? '' : Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString();
}
