import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Principal } from './tokens.ts';

const ticketLimits = {
  /** From one request to the next. */
  livesMs: 60_000,
  /** Not used yet: each is asked for by a token. */
  outstandingMax: 1_000,
  randomBytes: 32,
} as const;

/**
 * Tickets stand in for a token where none can be sent: a browser's EventSource and WebSocket send no header, and a token in an
 * address ends up in logs and histories. A ticket is good once, for a minute, for the stream, on the node that gave it.
 */
export interface Tickets {
  /** Undefined when too many are not used yet. */
  issue(principal: Principal): { readonly ticket: string; readonly expiresMs: number } | undefined;
  /** Who it was given to, who may read the stream by it and nothing else; undefined when it is used, too old or none. */
  redeem(ticket: string): Principal | undefined;
}

type Outstanding = { readonly principal: Principal; readonly expiresMs: number };

export function createTickets(clock: Clock, randomBytes: (length: number) => Uint8Array): Tickets {
  /** By hash, so that how long a look-up takes tells nothing of a ticket; the oldest first. */
  const outstanding = new Map<string, Outstanding>();

  function forgetExpired(nowMs: number): void {
    for (const [hash, { expiresMs }] of outstanding) {
      if (expiresMs > nowMs) return;
      outstanding.delete(hash);
    }
  }

  return {
    issue({ name }) {
      const nowMs = clock.wallMs();
      forgetExpired(nowMs);
      if (outstanding.size >= ticketLimits.outstandingMax) return undefined;
      const ticket = Buffer.from(randomBytes(ticketLimits.randomBytes)).toString('base64url');
      const expiresMs = nowMs + ticketLimits.livesMs;
      outstanding.set(hashOf(ticket), { principal: { name, scopes: new Set(['stream']) }, expiresMs });
      return { ticket, expiresMs };
    },
    redeem(ticket) {
      const hash = hashOf(ticket);
      const found = outstanding.get(hash);
      outstanding.delete(hash);
      return found !== undefined && found.expiresMs > clock.wallMs() ? found.principal : undefined;
    },
  };
}

function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64');
}
