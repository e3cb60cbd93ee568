import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLevel } from 'memory-level';
import { createTickets } from '../../src/access/tickets.ts';
import { loadAccess } from '../../src/access/tokens.ts';
import type { Clock } from '../../src/clock.ts';
import { hybridClock } from '../../src/event/hlc.ts';
import { createIdentity } from '../../src/event/identity.ts';
import { createApp } from '../../src/facade/app.ts';
import type { FacadeParts } from '../../src/facade/parts.ts';
import { readSubscription } from '../../src/facade/subscription.ts';
import { followAllowlist } from '../../src/feed/allowlist/follow.ts';
import { createFeeds } from '../../src/feed/feeds.ts';
import { standardDefaults } from '../../src/indicator/observation.ts';
import { createIntake } from '../../src/intake/intake.ts';
import { createSearched } from '../../src/intake/searched.ts';
import { openStore } from '../../src/store/level-store.ts';
import { createReaders } from '../../src/stream/readers.ts';
import { createStreamLog } from '../../src/stream/stream-log.ts';
import { allowedFrom } from '../../src/webhook/guard.ts';
import { createPoster } from '../../src/webhook/post.ts';
import { startWebhooks } from '../../src/webhook/webhooks.ts';
import { ackLocally } from './ack-locally.ts';

export const startMs = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A clock that stands still until it is moved; it counts the timers that it holds. */
export function manualClock(): Clock & { advance(ms: number): void; readonly timers: number } {
  let nowMs = startMs;
  const waiting = new Set<{ readonly dueMs: number; readonly task: () => void }>();
  return {
    wallMs: () => nowMs,
    after(delayMs, task) {
      const entry = { dueMs: nowMs + delayMs, task };
      waiting.add(entry);
      return { stop: () => void waiting.delete(entry) };
    },
    advance(ms) {
      nowMs += ms;
      for (const entry of [...waiting].filter(({ dueMs }) => dueMs <= nowMs)) {
        waiting.delete(entry);
        entry.task();
      }
    },
    get timers() {
      return waiting.size;
    },
  };
}

/** One token of each scope: `Bearer secret-of-<scope>-token`. */
export const secretOf = (scope: string): string => `secret-of-${scope}-token`;

export function bearer(scope: string): Record<string, string> {
  return { authorization: `Bearer ${secretOf(scope)}` };
}

/** The rooms under HTTP, over a store in memory. */
export async function openRooms(seed = 1) {
  const clock = manualClock();
  const identity = createIdentity(new Uint8Array(32).fill(seed));
  const store = await openStore(new MemoryLevel<string, string>());
  const streamLog = createStreamLog(store, identity.nodeId, clock);
  const intake = createIntake({
    store,
    identity,
    hybridClock: hybridClock(clock, 0n),
    clock,
    acknowledged: ackLocally,
  });
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-rooms-'));
  const scopes = ['read', 'feed', 'write', 'stream', 'admin'] as const;
  const fleet = scopes.map((scope) => ({ name: scope, secret: secretOf(scope), scopes: [scope] }));
  const access = await loadAccess(directory, fleet, (length) => new Uint8Array(length));
  await rm(directory, { recursive: true });
  const readers = createReaders();
  const errors: unknown[] = [];
  const allowlist = followAllowlist(store, clock, (error) => errors.push(error));
  await allowlist.loaded();
  let isAllowlistLoaded = true;
  const feeds = createFeeds({
    store,
    clock,
    allowlist: () => (isAllowlistLoaded ? allowlist.current() : undefined),
  });
  let ready = true;
  let isOwner = false;
  const told: string[] = [];
  const webhooks = await startWebhooks({
    store,
    log: streamLog,
    clock,
    random: () => 0.5,
    randomBytes,
    poster: createPoster({
      allowed: allowedFrom(['127.0.0.1']),
      resolve: () => Promise.reject(new Error('ENOTFOUND')),
      clock,
    }),
    say: (sayings, wish) => intake.say(sayings, wish),
    isOwner: () => isOwner,
    readSubscription,
    version: '0.0.0-test',
    told: { info: (message) => told.push(message), warn: (message) => told.push(message) },
  });
  const parts: FacadeParts = {
    intake,
    searched: createSearched({ intake, clock }),
    store,
    feeds,
    streamLog,
    readers,
    access,
    webhooks: webhooks.desk,
    tickets: createTickets(clock, randomBytes),
    mesh: {
      self: () => ({
        id: identity.nodeId,
        name: 'node-1',
        version: '0.0.0-test',
        encrypted: false,
        endpoints: { mesh: 'tcp://127.0.0.1:1', stream: 'tcp://127.0.0.1:2' },
        counters: {},
      }),
      peers: () => [],
      async *events() {},
      readiness: () => ({ ready, reason: ready ? 'caught up' : 'catching up', peers: 0, missing: 0 }),
    },
    metrics: { contentType: 'text/plain; version=0.0.4', text: async () => 'tocsin_ready 1\n' },
    clock,
    version: '0.0.0-test',
    onError: (error) => errors.push(error),
  };
  return {
    clock,
    identity,
    store,
    streamLog,
    readers,
    intake,
    parts,
    app: createApp(parts),
    errors,
    webhooks,
    /** What an operator was told of webhooks. */
    told,
    /** Whether this node delivers webhooks; it does not at first. */
    setOwner: (value: boolean) => {
      isOwner = value;
    },
    setReady: (value: boolean) => {
      ready = value;
    },
    setAllowlistLoaded: (value: boolean) => {
      isAllowlistLoaded = value;
    },
    submit: (...values: unknown[]) =>
      intake.submit(
        values.map((value, i) => ({ row: i + 1, value })),
        { ...standardDefaults, provider: 'test' },
      ),
    async [Symbol.asyncDispose]() {
      await webhooks.stop();
      streamLog.stop();
      feeds.stop();
      allowlist.stop();
      await intake.stop();
      await store.close();
    },
  };
}
