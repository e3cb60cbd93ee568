import { z } from '@hono/zod-openapi';
import { rfc3339 } from '../indicator/times.ts';
import { topics } from '../stream/subject.ts';
import type { WebhookView } from '../webhook/desk.ts';
import type { DeadLetter } from '../webhook/documents.ts';
import { formats, messageId, readEvent } from '../webhook/letter.ts';
import type { Posted } from '../webhook/post.ts';
import { reasonOf } from '../webhook/verdict.ts';
import { filterObject } from '../webhook/webhook.ts';

/** Webhooks as their routes show them. No secret is in here: each is told once, where it is made. */

const time = z.string().openapi({ format: 'date-time' });
const stated = {
  name: z.string().openapi({ example: 'siem' }),
  url: z.string().openapi({ example: 'https://hooks.example.com/tocsin' }),
  format: z.enum(formats),
  kinds: z.array(z.enum(topics)),
  filter: z.record(z.string(), z.string()).openapi({
    description: 'Parameters of `/stream` without `kind`',
    example: { tags: 'phishing,!test', confidence: '8' },
  }),
  enabled: z.boolean(),
};

/** What a request may have. */
export const wishSchema = z.object(stated).partial().openapi('WebhookWish');

export const webhookSchema = z
  .strictObject({
    id: z.string(),
    ...stated,
    kinds: z.array(z.string()),
    disabled: z.strictObject({ reason: z.string(), time }).optional(),
    secrets: z.number().int().openapi({ description: 'How many sign: 2 while they rotate' }),
    created: time,
    owner: z.string().optional().openapi({ description: 'The id of the node that delivers, or did last' }),
    last_success: time.optional(),
    last_failure: z.strictObject({ time, reason: z.string() }).optional(),
    breaker: z.enum(['open', 'closed']).openapi({ description: 'Open: the receiver failed again and again' }),
    waiting: z.number().int().openapi({ description: 'Messages in the memory of the owner' }),
    pending: z.number().int().openapi({ description: 'Messages that failed, and will be tried again' }),
    dead: z.number().int().openapi({ description: 'Messages that were given up' }),
  })
  .openapi('Webhook');

export type WebhookRow = z.infer<typeof webhookSchema>;

export function webhookRow({ webhook, state, pending, dead }: WebhookView): WebhookRow {
  const { id, name, url, format, kinds, filter, disabled, secrets, createdMs } = webhook;
  const { lastSuccessMs, lastFailure } = state ?? {};
  return {
    id,
    name,
    url,
    format,
    kinds: [...kinds],
    filter: filterObject(filter),
    enabled: disabled === undefined,
    ...(disabled && { disabled: { reason: disabled.reason, time: rfc3339(disabled.atMs) } }),
    secrets: secrets.length,
    created: rfc3339(createdMs),
    ...(state && { owner: state.owner }),
    ...(lastSuccessMs !== undefined && { last_success: rfc3339(lastSuccessMs) }),
    ...(lastFailure && { last_failure: { time: rfc3339(lastFailure.atMs), reason: lastFailure.reason } }),
    breaker: state?.isBreakerOpen ? 'open' : 'closed',
    waiting: state?.waiting ?? 0,
    pending,
    dead,
  };
}

export const deadSchema = z.strictObject({
  id: z.string().openapi({ description: 'For `ids` of a replay' }),
  message_id: z.string().openapi({ description: '`webhook-id` as the receiver may have seen it' }),
  time,
  attempts: z.number().int(),
  reason: z.string(),
  count: z.number().int().openapi({ description: 'Events that it stands for' }),
  events: z.array(z.record(z.string(), z.any())),
});

export function deadRow(
  webhookId: string,
  { letter, atMs, attempts, reason }: DeadLetter,
): z.infer<typeof deadSchema> {
  return {
    id: letter.id,
    message_id: messageId(webhookId, letter.id),
    time: rfc3339(atMs),
    attempts,
    reason,
    count: letter.count,
    events: letter.events.map((json) => ({ ...readEvent(json) })),
  };
}

export const testSchema = z.strictObject({
  delivered: z.boolean(),
  status: z.number().int().optional().openapi({ description: 'What the receiver answered' }),
  answer: z.string().optional().openapi({ description: 'The beginning of its body' }),
  reason: z.string().optional().openapi({ description: 'Why it was not delivered' }),
  ms: z.number().int(),
});

export function testRow(posted: Posted, ms: number): z.infer<typeof testSchema> {
  const delivered = posted.kind === 'answered' && posted.status >= 200 && posted.status < 300;
  return {
    delivered,
    ...(posted.kind === 'answered' && { status: posted.status, answer: posted.text }),
    ...(!delivered && { reason: reasonOf(posted) }),
    ms,
  };
}
