import type { Clock } from '../clock.ts';
import type { DocumentWrite } from '../event/document.ts';
import { rfc3339 } from '../indicator/times.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { StreamFilter } from '../stream/stream-filter.ts';
import {
  collections,
  type DeadLetter,
  letterDocumentId,
  letterDocuments,
  pendingWrite,
  readDead,
  removal,
  type State,
} from './documents.ts';
import type { Ledger } from './ledger.ts';
import { letterOf } from './letter.ts';
import { webhookLimits as limits } from './limits.ts';
import type { Posted } from './post.ts';
import { type SendParts, sendLetter } from './send.ts';
import { newSecret } from './signature.ts';
import {
  defaultKinds,
  encodeWebhook,
  parseWish,
  subscriptionOf,
  type Webhook,
  type WebhookProblem,
} from './webhook.ts';

/** A webhook and how it does, as this node knows it. */
export type WebhookView = {
  readonly webhook: Webhook;
  /** Of the owner; undefined while no owner has written any. */
  readonly state: State | undefined;
  /** Letters that documents keep. */
  readonly pending: number;
  readonly dead: number;
};

/** Why a wish is not granted: fields that are wrong, or what stands against it. */
export type Refusal =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'wrong'; readonly problems: readonly WebhookProblem[] }
  | { readonly kind: 'conflict'; readonly reason: string };

export type Granted<T> = { readonly kind: 'granted'; readonly value: T } | Refusal;

/** What admins do with webhooks, on any node. What it changes is on another node too, if there is one, when it resolves. */
export interface WebhookDesk {
  list(): readonly WebhookView[];
  get(id: string): WebhookView | undefined;
  /** `wish` is the JSON of a request. The secret is told here, and never again. */
  create(wish: unknown): Promise<Granted<WebhookView & { readonly secret: string }>>;
  change(id: string, wish: unknown): Promise<Granted<WebhookView>>;
  /** With all that waits for it. */
  remove(id: string): Promise<Granted<undefined>>;
  /** A new secret beside the old one; both sign until `finishRotation`. */
  rotate(id: string): Promise<Granted<{ readonly secret: string }>>;
  /** Only the new secret signs from now on. */
  finishRotation(id: string): Promise<Granted<WebhookView>>;
  /** Sends a ping from this node now, and tells what the receiver said. */
  test(id: string): Promise<Granted<{ readonly posted: Posted; readonly ms: number }>>;
  /** Those that were given up, up to `limit`. */
  deadLetters(id: string, limit: number): Promise<readonly DeadLetter[]>;
  /** Delivers dead letters again, all of them or those named, and answers how many. */
  replay(id: string, letterIds: readonly string[] | undefined): Promise<Granted<number>>;
}

export type DeskParts = SendParts & {
  readonly store: Pick<IndicatorStore, 'document' | 'documents'>;
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly readSubscription: (query: string) => Parsed<StreamFilter>;
  readonly nodeId: string;
  readonly ledger: Ledger;
  readonly write: (writes: readonly DocumentWrite[]) => Promise<unknown>;
  /** Of a webhook that this node owns. */
  readonly live: (id: string) => State | undefined;
};

const unknown = { kind: 'unknown' } as const;

export function createDesk(parts: DeskParts): WebhookDesk {
  const { store, clock, randomBytes, poster, ledger, write, live } = parts;

  function viewOf(webhook: Webhook): WebhookView {
    const { id } = webhook;
    const state = live(id) ?? ledger.progress(id)?.state;
    return { webhook, state, pending: ledger.pending(id).length, dead: ledger.dead(id).length };
  }

  async function keep(webhook: Webhook): Promise<void> {
    const { id } = webhook;
    await write([{ collection: collections.webhook, id, body: encodeWebhook(webhook) }]);
  }

  /** What can be told only of the whole: whether it has what it must, where it leads, and what it asks of the stream. */
  async function problemsOf(webhook: Partial<Webhook>): Promise<readonly WebhookProblem[]> {
    const { name, url, kinds = defaultKinds, filter = '' } = webhook;
    const problems: WebhookProblem[] = [];
    if (name === undefined) problems.push({ field: 'name', reason: 'a webhook needs a name' });
    if (url === undefined) problems.push({ field: 'url', reason: 'a webhook needs a URL to post to' });
    const refusal = url === undefined ? undefined : await poster.refusal(url);
    if (refusal !== undefined) problems.push({ field: 'url', reason: refusal });
    const subscription = parts.readSubscription(subscriptionOf({ kinds, filter }));
    if (!subscription.ok) problems.push({ field: 'filter', reason: subscription.reason });
    return problems;
  }

  /** Changes one that there is. */
  async function changed(
    id: string,
    change: (webhook: Webhook) => Promise<Parsed<Webhook> | Refusal>,
  ): Promise<Granted<WebhookView>> {
    const webhook = ledger.webhook(id);
    if (webhook === undefined) return unknown;
    const next = await change(webhook);
    if ('kind' in next) return next;
    if (!next.ok) return { kind: 'conflict', reason: next.reason };
    await keep(next.value);
    return { kind: 'granted', value: viewOf(next.value) };
  }

  return {
    list: () => ledger.webhooks().map(viewOf),
    get(id) {
      const webhook = ledger.webhook(id);
      return webhook && viewOf(webhook);
    },
    async create(given) {
      const wish = parseWish(given);
      if ('problems' in wish) return { kind: 'wrong', problems: wish.problems };
      const problems = await problemsOf(wish.value);
      if (problems.length > 0) return { kind: 'wrong', problems };
      if (ledger.webhooks().length >= limits.webhooksMax)
        return { kind: 'conflict', reason: `there are ${limits.webhooksMax} webhooks; delete one first` };
      const { name = '', url = '', format = 'standard', kinds = defaultKinds, filter = '' } = wish.value;
      const nowMs = clock.wallMs();
      const secret = newSecret(randomBytes);
      const isOff = wish.value.enabled === false;
      const webhook: Webhook = {
        id: `wh_${Buffer.from(randomBytes(12)).toString('hex')}`,
        name,
        url,
        format,
        kinds,
        filter,
        secrets: [secret],
        ...(isOff && { disabled: { reason: 'turned off', atMs: nowMs } }),
        createdMs: nowMs,
        sinceMs: nowMs,
      };
      await keep(webhook);
      return { kind: 'granted', value: { ...viewOf(webhook), secret } };
    },
    change: (id, given) =>
      changed(id, async (webhook) => {
        const wish = parseWish(given);
        if ('problems' in wish) return { kind: 'wrong', problems: wish.problems };
        const { enabled, ...fields } = wish.value;
        const { disabled, ...rest } = { ...webhook, ...fields };
        const problems = await problemsOf(rest);
        if (problems.length > 0) return { kind: 'wrong', problems };
        const nowMs = clock.wallMs();
        if (enabled === false)
          return accept({ ...rest, disabled: disabled ?? { reason: 'turned off', atMs: nowMs } });
        if (enabled === undefined || disabled === undefined)
          return accept({ ...rest, ...(disabled && { disabled }) });
        // What came while it was off is not caught up on.
        return accept({ ...rest, sinceMs: nowMs });
      }),
    async remove(id) {
      if (ledger.webhook(id) === undefined) return unknown;
      const nowMs = clock.wallMs();
      const letters = (collection: string, ids: readonly string[]) =>
        ids.map((letterId) => removal(collection, letterDocumentId(id, letterId), nowMs));
      await write([
        { collection: collections.webhook, id },
        { collection: collections.progress, id },
        ...letters(collections.pending, ledger.pending(id)),
        ...letters(collections.dead, ledger.dead(id)),
      ]);
      return { kind: 'granted', value: undefined };
    },
    async rotate(id) {
      const secret = newSecret(randomBytes);
      const rotated = await changed(id, async (webhook) =>
        webhook.secrets.length > 1
          ? refuse(
              'rotating',
              'two secrets sign already: end that first, by POST .../rotate?finish=1, when the receiver knows the new one',
            )
          : accept({ ...webhook, secrets: [...webhook.secrets, secret] }),
      );
      return rotated.kind === 'granted' ? { kind: 'granted', value: { secret } } : rotated;
    },
    finishRotation: (id) =>
      changed(id, async (webhook) => accept({ ...webhook, secrets: webhook.secrets.slice(-1) })),
    async test(id) {
      const webhook = ledger.webhook(id);
      if (webhook === undefined) return unknown;
      const startMs = clock.wallMs();
      const pingId = `ping-${Buffer.from(randomBytes(8)).toString('hex')}`;
      const json = JSON.stringify({
        specversion: '1.0',
        id: pingId,
        type: 'tocsin.ping',
        source: parts.nodeId,
        time: rfc3339(startMs),
        datacontenttype: 'application/json',
        data: { webhook: id, name: webhook.name },
      });
      const posted = await sendLetter(parts, webhook, letterOf(pingId, json), startMs);
      return { kind: 'granted', value: { posted, ms: clock.wallMs() - startMs } };
    },
    async deadLetters(id, limit) {
      const found: DeadLetter[] = [];
      for await (const document of letterDocuments(store, collections.dead, id, clock.wallMs())) {
        if (found.length >= limit) break;
        const dead = readDead(document.id, document.body);
        if (dead !== undefined) found.push(dead);
      }
      return found;
    },
    async replay(id, letterIds) {
      if (ledger.webhook(id) === undefined) return unknown;
      const nowMs = clock.wallMs();
      const known = new Set(ledger.dead(id));
      let replayed = 0;
      for (const letterId of letterIds ?? known) {
        const documentId = letterDocumentId(id, letterId);
        const found = known.has(letterId) ? await store.document(collections.dead, documentId) : undefined;
        const dead = found?.body === undefined ? undefined : readDead(documentId, found.body);
        if (dead === undefined) continue;
        const { letter, reason } = dead;
        // A commit each: a letter is up to half a document long.
        await write([
          pendingWrite(id, { letter, attempts: 0, queuedMs: nowMs, dueMs: nowMs, reason }, nowMs),
          removal(collections.dead, documentId, nowMs),
        ]);
        replayed++;
      }
      return { kind: 'granted', value: replayed };
    },
  };
}
