import { Webhook } from 'standardwebhooks';
import { webhookLimits } from './limits.ts';

/** A new secret of Standard Webhooks: `whsec_` and base64. */
export function newSecret(randomBytes: (length: number) => Uint8Array): string {
  return `whsec_${Buffer.from(randomBytes(webhookLimits.secretBytes)).toString('base64')}`;
}

/**
 * Headers by which a receiver knows who sent a body, and that it is the one that was sent (Standard Webhooks 1.0): one
 * signature for each secret, so that either is enough while they rotate. The time is that of this try.
 */
export function signedHeaders(
  messageId: string,
  body: string,
  secrets: readonly string[],
  nowMs: number,
): Readonly<Record<string, string>> {
  const at = new Date(nowMs);
  return {
    'webhook-id': messageId,
    'webhook-timestamp': String(Math.floor(nowMs / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(messageId, at, body)).join(' '),
  };
}
