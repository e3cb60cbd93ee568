import type { StoredDocument } from '../store/document.ts';
import type { IndicatorStore } from '../store/store.ts';
import { collections, type Progress, readLetterDocumentId, readProgress } from './documents.ts';
import { readWebhook, type Webhook } from './webhook.ts';

/** Ids of letters, with when their documents end, Unix ms. */
type Letters = Map<string, number>;

/** What this node holds about webhooks, read from its documents and kept in step with them. */
export interface Ledger {
  /** By id. */
  webhooks(): readonly Webhook[];
  webhook(id: string): Webhook | undefined;
  progress(id: string): Progress | undefined;
  /** Ids of the letters that documents keep for a webhook, those whose time is over left out. */
  pending(id: string): readonly string[];
  /** The same of dead letters, the oldest first. */
  dead(id: string): readonly string[];
  stop(): void;
}

export type LedgerParts = {
  readonly store: Pick<IndicatorStore, 'documents' | 'onCommitted' | 'onReplaced'>;
  readonly nowMs: () => number;
  /** A webhook is other than it was, or a document keeps a letter for it now. Not told of what is read at the beginning. */
  readonly changed: (webhookId: string, letterId?: string) => void;
  readonly failed: (error: unknown) => void;
};

const pageOfDocuments = 200;
const all = Object.values(collections);

/** Resolves once it has read what there is. Rejects with StoreError. */
export async function followLedger({ store, nowMs, changed, failed }: LedgerParts): Promise<Ledger> {
  const webhooks = new Map<string, Webhook>();
  const progress = new Map<string, Progress>();
  const pending = new Map<string, Letters>();
  const dead = new Map<string, Letters>();
  let tell: LedgerParts['changed'] = () => undefined;
  /** What changed while documents are read: that is newer. */
  let changedMeanwhile: Set<string> | undefined;

  function apply({ collection, id, body, expiresMs = Number.MAX_SAFE_INTEGER }: StoredDocument): void {
    switch (collection) {
      case collections.webhook: {
        const webhook = body === undefined ? undefined : readWebhook(id, body);
        if (webhook === undefined) webhooks.delete(id);
        else webhooks.set(id, webhook);
        tell(id);
        break;
      }
      case collections.progress: {
        const read = body === undefined ? undefined : readProgress(body);
        if (read === undefined) progress.delete(id);
        else progress.set(id, read);
        break;
      }
      case collections.pending:
        applyLetter(pending, id, body, expiresMs);
        break;
      case collections.dead:
        applyLetter(dead, id, body, expiresMs);
        break;
    }
  }

  function applyLetter(
    of: Map<string, Letters>,
    id: string,
    body: string | undefined,
    expiresMs: number,
  ): void {
    const names = readLetterDocumentId(id);
    if (names === undefined) return;
    const { webhookId, letterId } = names;
    const letters = of.get(webhookId) ?? new Map<string, number>();
    if (body === undefined) letters.delete(letterId);
    else letters.set(letterId, expiresMs);
    if (letters.size === 0) of.delete(webhookId);
    else of.set(webhookId, letters);
    if (body !== undefined && of === pending) tell(webhookId, letterId);
  }

  async function load(): Promise<void> {
    const meanwhile = new Set<string>();
    changedMeanwhile = meanwhile;
    for (const map of [webhooks, progress, pending, dead]) map.clear();
    for (const collection of all) {
      for (let after: string | undefined; ; ) {
        const page = await store.documents(collection, after, pageOfDocuments);
        for (const document of page) if (!meanwhile.has(keyOf(document))) apply(document);
        after = page.at(-1)?.id;
        if (page.length < pageOfDocuments) break;
      }
    }
    if (changedMeanwhile === meanwhile) changedMeanwhile = undefined;
  }

  const unsubscribers = [
    store.onCommitted(({ changes }) => {
      for (const change of changes) {
        if (!('document' in change) || !all.some((one) => one === change.document.collection)) continue;
        changedMeanwhile?.add(keyOf(change.document));
        apply(change.document);
      }
    }),
    // What a snapshot brought came by no commit.
    store.onReplaced((by) => {
      if (by === 'snapshot') load().catch(failed);
    }),
  ];

  function inForce(letters: Letters | undefined): readonly string[] {
    const atMs = nowMs();
    return [...(letters ?? [])]
      .filter(([, expiresMs]) => expiresMs > atMs)
      .sort(([, a], [, b]) => a - b)
      .map(([id]) => id);
  }

  await load();
  tell = changed;
  return {
    webhooks: () => [...webhooks.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    webhook: (id) => webhooks.get(id),
    progress: (id) => progress.get(id),
    pending: (id) => inForce(pending.get(id)),
    dead: (id) => inForce(dead.get(id)),
    stop() {
      for (const unsubscribe of unsubscribers) unsubscribe();
    },
  };
}

function keyOf({ collection, id }: StoredDocument): string {
  return `${collection} ${id}`;
}
