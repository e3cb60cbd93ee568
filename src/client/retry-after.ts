import { clientLimits } from './limits.ts';

/** `Retry-After` is seconds or a date (RFC 9110, section 10.2.3); without one it is a second, and never more than a minute. */
export function retryAfterMs(header: string | null, nowMs: number): number {
  if (header === null) return clientLimits.retryAfterMsDefault;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  if (Number.isNaN(ms)) return clientLimits.retryAfterMsDefault;
  return Math.min(Math.max(ms, 0), clientLimits.retryAfterMsMax);
}
