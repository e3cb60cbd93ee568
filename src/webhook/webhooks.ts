import type { Clock } from '../clock.ts';
import type { AckWish } from '../event/ack.ts';
import type { DocumentWrite } from '../event/document.ts';
import type { Saying } from '../event/types.ts';
import type { Parsed } from '../parsed.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { StreamFilter } from '../stream/stream-filter.ts';
import type { StreamLog } from '../stream/stream-log.ts';
import { type Deliverer, startDeliverer } from './deliverer.ts';
import { createDesk, type WebhookDesk } from './desk.ts';
import { collections } from './documents.ts';
import { followLedger, type Ledger } from './ledger.ts';
import { deliveryLimits, ownerLimits } from './limits.ts';
import type { Outcome } from './outgoing.ts';
import type { Poster } from './post.ts';
import { createSlots } from './slots.ts';
import type { Told } from './told.ts';
import { encodeWebhook, subscriptionOf, type Webhook } from './webhook.ts';

export type WebhookParts = {
  readonly store: Pick<IndicatorStore, 'document' | 'documents' | 'onCommitted' | 'onReplaced'>;
  readonly log: StreamLog;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly poster: Poster;
  /** Makes events of this node. */
  readonly say: (sayings: readonly Saying[], wish: AckWish) => Promise<unknown>;
  /** Whether this node is the one that delivers a webhook now. */
  readonly isOwner: (webhookId: string) => boolean;
  /** Reads the query of the stream's routes: `kind=search&tags=phishing`. */
  readonly readSubscription: (query: string) => Parsed<StreamFilter>;
  readonly version: string;
  readonly told: Told;
};

export type WebhookNumbers = {
  /** Tries by what became of them. */
  readonly outcomes: ReadonlyMap<Outcome, number>;
  /** Letters that documents keep, of all webhooks. */
  readonly pending: number;
  readonly dead: number;
};

export interface Webhooks {
  /** For the routes. */
  readonly desk: WebhookDesk;
  numbers(): WebhookNumbers;
  /** Writes down how far this owner is. Must come before the intake stops. */
  stop(): Promise<void>;
}

type Owned = {
  readonly sinceMs: number;
  readonly of: Webhook;
  deliverer: Deliverer | undefined;
};

/** Delivers the webhooks that this node owns, and answers for all of them. Rejects with StoreError. */
export async function startWebhooks(parts: WebhookParts): Promise<Webhooks> {
  const { store, log, clock, random, poster, say, isOwner, readSubscription, version, told } = parts;
  const owned = new Map<string, Owned>();
  const leaving = new Set<Promise<void>>();
  const outcomes = new Map<Outcome, number>();
  const userAgent = `tocsin/${version}`;
  let ticker: { stop(): void } | undefined;
  let stopped = false;
  const slots = createSlots(deliveryLimits.perNode, () => {
    for (const { deliverer } of owned.values()) deliverer?.pump();
  });
  const write = (writes: readonly DocumentWrite[], wish: AckWish) =>
    say(
      writes.map((body) => ({ kind: 'admin', body })),
      wish,
    );

  const ledger: Ledger = await followLedger({
    store,
    nowMs: clock.wallMs,
    changed(id, letterId) {
      const deliverer = owned.get(id)?.deliverer;
      if (letterId === undefined) look();
      else deliverer?.adopt(letterId).catch(failed);
    },
    failed,
  });

  function failed(error: unknown): void {
    if (!stopped) told.warn('documents of webhooks cannot be read; restart the node', { err: error });
  }

  /** Begins what this node owns now, and ends what it does not own any more. */
  function look(): void {
    if (stopped) return;
    const nowMs = clock.wallMs();
    const mine = ledger.webhooks().filter(({ id, disabled }) => disabled === undefined && isOwner(id));
    for (const [id, one] of owned) {
      const now = mine.find((webhook) => webhook.id === id);
      if (now === undefined || isOther(now, one.of)) end(id, one);
      else if (now !== one.of) {
        owned.set(id, { ...one, of: now });
        one.deliverer?.renew();
      }
    }
    for (const webhook of mine) {
      const known = owned.get(webhook.id);
      if (known === undefined) owned.set(webhook.id, { sinceMs: nowMs, of: webhook, deliverer: undefined });
      else if (known.deliverer === undefined && nowMs - known.sinceMs >= ownerLimits.settleMs)
        known.deliverer = begin(webhook);
    }
    lookAgain();
  }

  /** Who is the owner may be another one by then. */
  function lookAgain(): void {
    ticker?.stop();
    ticker = undefined;
    if (ledger.webhooks().length > 0) ticker = clock.after(ownerLimits.lookEveryMs, look);
  }

  function begin(webhook: Webhook): Deliverer | undefined {
    const wanted = readSubscription(subscriptionOf(webhook));
    if (!wanted.ok) {
      told.warn(`the webhook ${webhook.name} has filters that this release does not know: ${wanted.reason}`);
      return undefined;
    }
    const { id } = webhook;
    return startDeliverer({
      store,
      log,
      clock,
      random,
      slots,
      poster,
      userAgent,
      say: (writes) => write(writes, 'local'),
      webhook: () => ledger.webhook(id) ?? webhook,
      wanted: wanted.value,
      progress: ledger.progress(id),
      deadIds: () => ledger.dead(id),
      counted: (outcome) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1),
      gone: (reason) => disable(id, reason),
      told,
    });
  }

  function end(id: string, { deliverer }: Owned): void {
    owned.delete(id);
    if (deliverer === undefined) return;
    const left = deliverer.stop(ledger.webhook(id) === undefined).finally(() => leaving.delete(left));
    leaving.add(left);
  }

  function disable(id: string, reason: string): void {
    const webhook = ledger.webhook(id);
    if (webhook === undefined) return;
    told.warn(
      `the webhook ${webhook.name} is disabled: ${reason}; PATCH /webhooks/${id} with {"enabled": true} turns it on again`,
    );
    const disabled = { ...webhook, disabled: { reason, atMs: clock.wallMs() } };
    write([{ collection: collections.webhook, id, body: encodeWebhook(disabled) }], 'local').catch(failed);
  }

  look();

  return {
    desk: createDesk({
      ...parts,
      ledger,
      userAgent,
      nodeId: log.nodeId,
      write: (writes) => write(writes, 1),
      live: (id) => owned.get(id)?.deliverer?.state(),
    }),
    numbers() {
      const all = ledger.webhooks();
      return {
        outcomes,
        pending: all.reduce((sum, { id }) => sum + ledger.pending(id).length, 0),
        dead: all.reduce((sum, { id }) => sum + ledger.dead(id).length, 0),
      };
    },
    async stop() {
      if (!stopped) {
        stopped = true;
        ticker?.stop();
        for (const [id, one] of owned) end(id, one);
      }
      await Promise.all(leaving);
      ledger.stop();
    },
  };
}

/** Whether what it subscribes to, or how it is paced, is not what it was. */
function isOther(now: Webhook, before: Webhook): boolean {
  return (
    subscriptionOf(now) !== subscriptionOf(before) ||
    now.sinceMs !== before.sinceMs ||
    now.format !== before.format
  );
}
