import { deliveryLimits as limits, webhookLimits } from './limits.ts';
import type { Posted } from './post.ts';

/** What is to be done after a try. */
export type Verdict =
  | { readonly kind: 'delivered' }
  /** Again, not before `atMs`; with `pauseMs` nothing else goes to the receiver before that either: it asked for it. */
  | {
      readonly kind: 'retry';
      readonly atMs: number;
      readonly pausedUntilMs?: number;
      readonly reason: string;
    }
  /** It will not be taken. */
  | { readonly kind: 'dead'; readonly reason: string }
  /** The receiver is no more, and says so. */
  | { readonly kind: 'gone'; readonly reason: string };

export type Tries = {
  /** This one counts. */
  readonly attempts: number;
  /** Since when it waits, Unix ms. */
  readonly queuedMs: number;
};

/** Answers 4xx that mean "not now" (RFC 9110, section 15.5.9; RFC 8470; RFC 6585). */
const notNow = [408, 425, 429];

/**
 * Whatever is not a 2xx is tried again for a day, ever more rarely, at a time drawn from the whole span, so that those that
 * failed together do not come together. 410 ends the webhook, other 4xx and refusals of ours the message, after few tries.
 */
export function verdictOf(
  posted: Posted,
  { attempts, queuedMs }: Tries,
  nowMs: number,
  random: () => number,
): Verdict {
  if (posted.kind === 'answered' && posted.status >= 200 && posted.status < 300) return { kind: 'delivered' };
  const reason = reasonOf(posted);
  if (posted.kind === 'answered' && posted.status === 410) return { kind: 'gone', reason };
  const isFinal =
    posted.kind === 'refused' ||
    (posted.kind === 'answered' &&
      posted.status >= 400 &&
      posted.status < 500 &&
      !notNow.includes(posted.status));
  if (isFinal && attempts >= limits.refusedTriesMax)
    return { kind: 'dead', reason: `${reason}, ${attempts} times` };
  if (nowMs - queuedMs >= limits.retriedForMs) return { kind: 'dead', reason: `${reason}, for a day` };
  const drawnMs = nowMs + Math.floor(random() * backoffMs(limits.retryFirstMs, limits.retryMaxMs, attempts));
  const askedMs = posted.kind === 'answered' ? retryAfterMs(posted.retryAfter, nowMs) : undefined;
  if (askedMs === undefined) return { kind: 'retry', atMs: drawnMs, reason };
  return { kind: 'retry', atMs: Math.max(askedMs, drawnMs), pausedUntilMs: askedMs, reason };
}

/** `firstMs` after the first failure, twice as long after each further one. */
export function backoffMs(firstMs: number, maxMs: number, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
}

/** When Retry-After (RFC 9110, section 10.2.3: seconds or a date) lets us come back, Unix ms; capped. */
export function retryAfterMs(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const atMs = /^\d{1,9}$/.test(text.trim()) ? nowMs + Number(text) * 1_000 : Date.parse(text);
  if (Number.isNaN(atMs) || atMs <= nowMs) return undefined;
  return Math.min(atMs, nowMs + limits.retryAfterMaxMs);
}

/** One line for a person, with nothing in it that a terminal would act on. */
export function reasonOf(posted: Posted): string {
  const text =
    posted.kind === 'answered'
      ? `it answered ${posted.status}${posted.text.trim() === '' ? '' : `: ${posted.text.trim()}`}`
      : posted.reason;
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
  return line.length > webhookLimits.errorCharactersMax
    ? `${line.slice(0, webhookLimits.errorCharactersMax - 1)}…`
    : line;
}
