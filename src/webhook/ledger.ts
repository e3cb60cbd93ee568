import type { StoredDocument } from '../store/document.ts';
import type { IndicatorStore } from '../store/store.ts';
import { collections, type Progress, readLetterDocumentId, readProgress } from './documents.ts';
import { readWebhook, type Webhook } from './webhook.ts';

/** Ids of letters, with when their documents end, Unix ms. */
type Letters = Map<string, number>;

type Held = {
  readonly webhooks: Map<string, Webhook>;
  readonly progress: Map<string, Progress>;
  readonly pending: Map<string, Letters>;
  readonly dead: Map<string, Letters>;
};

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
  let held = emptyHeld();
  let isLoaded = false;
  /** What changed while documents are read; each is newer than what was read of it, or the same. */
  let meanwhile: StoredDocument[] | undefined;

  /** Takes the place of what was held when all is read, so that nothing seems to be gone for a moment. */
  async function load(): Promise<void> {
    const mine: StoredDocument[] = [];
    meanwhile = mine;
    const next = emptyHeld();
    for (const collection of all) {
      for (let after: string | undefined; ; ) {
        const page = await store.documents(collection, after, pageOfDocuments);
        for (const document of page) put(next, document);
        after = page.at(-1)?.id;
        if (page.length < pageOfDocuments) break;
      }
    }
    for (const document of mine) put(next, document);
    held = next;
    if (meanwhile === mine) meanwhile = undefined;
  }

  const unsubscribers = [
    store.onCommitted(({ changes }) => {
      for (const change of changes) {
        if (!('document' in change) || !all.some((one) => one === change.document.collection)) continue;
        meanwhile?.push(change.document);
        put(held, change.document);
        if (isLoaded) tell(change.document);
      }
    }),
    // What a snapshot brought came by no commit.
    store.onReplaced((by) => {
      if (by === 'snapshot') reload().catch(failed);
    }),
  ];

  async function reload(): Promise<void> {
    await load();
    for (const id of held.webhooks.keys()) changed(id);
    for (const [id, letters] of held.pending) for (const letterId of letters.keys()) changed(id, letterId);
  }

  function tell({ collection, id, body }: StoredDocument): void {
    if (collection === collections.webhook) changed(id);
    const names = collection === collections.pending ? readLetterDocumentId(id) : undefined;
    if (names !== undefined && body !== undefined) changed(names.webhookId, names.letterId);
  }

  await load();
  isLoaded = true;
  return {
    webhooks: () => [...held.webhooks.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    webhook: (id) => held.webhooks.get(id),
    progress: (id) => held.progress.get(id),
    pending: (id) => inForce(held.pending.get(id), nowMs()),
    dead: (id) => inForce(held.dead.get(id), nowMs()),
    stop() {
      for (const unsubscribe of unsubscribers) unsubscribe();
    },
  };
}

function emptyHeld(): Held {
  return { webhooks: new Map(), progress: new Map(), pending: new Map(), dead: new Map() };
}

function put({ webhooks, progress, pending, dead }: Held, document: StoredDocument): void {
  const { collection, id, body } = document;
  switch (collection) {
    case collections.webhook:
      set(webhooks, id, body === undefined ? undefined : readWebhook(id, body));
      break;
    case collections.progress:
      set(progress, id, body === undefined ? undefined : readProgress(body));
      break;
    case collections.pending:
      putLetter(pending, document);
      break;
    case collections.dead:
      putLetter(dead, document);
      break;
  }
}

function putLetter(of: Map<string, Letters>, { id, body, expiresMs }: StoredDocument): void {
  const names = readLetterDocumentId(id);
  if (names === undefined) return;
  const letters = of.get(names.webhookId) ?? new Map<string, number>();
  set(letters, names.letterId, body === undefined ? undefined : (expiresMs ?? Number.MAX_SAFE_INTEGER));
  set(of, names.webhookId, letters.size === 0 ? undefined : letters);
}

function set<Value>(map: Map<string, Value>, id: string, value: Value | undefined): void {
  if (value === undefined) map.delete(id);
  else map.set(id, value);
}

/** Those whose time is not over, the first to end first; the others are forgotten. */
function inForce(letters: Letters | undefined, nowMs: number): readonly string[] {
  if (letters === undefined) return [];
  for (const [id, expiresMs] of letters) if (expiresMs <= nowMs) letters.delete(id);
  return [...letters].sort(([, a], [, b]) => a - b).map(([id]) => id);
}
