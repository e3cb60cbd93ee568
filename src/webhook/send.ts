import { bodyOf } from './body.ts';
import { type Letter, messageId } from './letter.ts';
import type { Posted, Poster } from './post.ts';
import { signedHeaders } from './signature.ts';
import type { Webhook } from './webhook.ts';

export type SendParts = { readonly poster: Poster; readonly userAgent: string };

/** Sends a letter once, as the webhook is now. The headers are the same in every format: who needs none ignores them. */
export async function sendLetter(
  { poster, userAgent }: SendParts,
  { id, url, format, secrets }: Webhook,
  letter: Letter,
  nowMs: number,
  signal?: AbortSignal,
): Promise<Posted> {
  const body = bodyOf(letter, format);
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': userAgent,
    ...signedHeaders(messageId(id, letter.id), body, secrets, nowMs),
  };
  return poster.post({ url, headers, body, ...(signal && { signal }) });
}
