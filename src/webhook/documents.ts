import type { DocumentWrite } from '../event/document.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { Letter } from './letter.ts';
import { webhookLimits as limits } from './limits.ts';
import type { Waiting } from './queue.ts';
import type { SettledText } from './settled.ts';
import { isText, readObject } from './webhook.ts';

/** What is known of each webhook, as documents that every node holds: so the next owner knows it when this one is gone. */
export const collections = {
  webhook: 'webhook',
  progress: 'webhook-progress',
  pending: 'webhook-pending',
  dead: 'webhook-dead',
} as const;

/** How far an owner was, and how its receiver has been. */
export type Progress = {
  /** Of the owner's stream: everything before it is settled. */
  readonly cursor: string;
  /** The webhook's `sinceMs`; when that is another one by now, the cursor no longer counts. */
  readonly sinceMs: number;
  readonly settled: SettledText;
  readonly state: State;
};

/** For people. */
export type State = {
  /** The owner's node id. */
  readonly owner: string;
  readonly lastSuccessMs?: number;
  readonly lastFailure?: { readonly atMs: number; readonly reason: string };
  /** Letters in the owner's memory: those that no document has yet, too. */
  readonly waiting: number;
  /** Only probes are sent. */
  readonly isBreakerOpen: boolean;
};

/** A letter that a document keeps. */
export type KeptLetter = Pick<Waiting, 'letter' | 'attempts' | 'queuedMs' | 'dueMs' | 'reason'>;

/** A letter that was given up. */
export type DeadLetter = {
  readonly letter: Letter;
  readonly attempts: number;
  readonly atMs: number;
  readonly reason: string;
};

const idSeparator = ':';

export function letterDocumentId(webhookId: string, letterId: string): string {
  return `${webhookId}${idSeparator}${letterId}`;
}

/** Which webhook and which letter a document is of. */
export function readLetterDocumentId(
  id: string,
): { readonly webhookId: string; readonly letterId: string } | undefined {
  const at = id.indexOf(idSeparator);
  return at < 1 ? undefined : { webhookId: id.slice(0, at), letterId: id.slice(at + 1) };
}

export function progressWrite(webhookId: string, progress: Progress): DocumentWrite {
  return { collection: collections.progress, id: webhookId, body: JSON.stringify(progress) };
}

export function pendingWrite(webhookId: string, kept: KeptLetter, nowMs: number): DocumentWrite {
  const { letter, attempts, queuedMs, dueMs, reason } = kept;
  return {
    collection: collections.pending,
    id: letterDocumentId(webhookId, letter.id),
    body: letterBody(letter, { attempts, queuedMs, dueMs, reason }),
    expiresMs: nowMs + limits.pendingKeptMs,
  };
}

export function deadWrite(webhookId: string, dead: DeadLetter): DocumentWrite {
  const { letter, attempts, atMs, reason } = dead;
  return {
    collection: collections.dead,
    id: letterDocumentId(webhookId, letter.id),
    body: letterBody(letter, { attempts, atMs, reason }),
    expiresMs: atMs + limits.deadKeptMs,
  };
}

/** That it is gone is remembered for as long as an older write of it may still come. */
export function removal(collection: string, id: string, nowMs: number): DocumentWrite {
  return { collection, id, expiresMs: nowMs + limits.removalKeptMs };
}

function letterBody({ events, count, last }: Letter, about: object): string {
  const head = JSON.stringify({ ...about, count, last });
  return `${head.slice(0, -1)},"events":[${events.join(',')}]}`;
}

export function readProgress(body: string): Progress | undefined {
  const value = readObject(body) as Partial<Progress> | undefined;
  const isProgress =
    isText(value?.cursor) &&
    Number.isSafeInteger(value.sinceMs) &&
    typeof value.settled?.of === 'object' &&
    Array.isArray(value.settled.other) &&
    typeof value.state === 'object';
  return isProgress ? (value as Progress) : undefined;
}

export function readPending(id: string, body: string): KeptLetter | undefined {
  const value = readObject(body) as (Partial<KeptLetter> & { events?: unknown }) | undefined;
  const letter = readLetter(id, value);
  const { attempts, queuedMs, dueMs, reason } = value ?? {};
  if (letter === undefined || !isCount(attempts) || !isCount(queuedMs) || !isCount(dueMs)) return undefined;
  return { letter, attempts, queuedMs, dueMs, ...(reason !== undefined && { reason }) };
}

export function readDead(id: string, body: string): DeadLetter | undefined {
  const value = readObject(body) as (Partial<DeadLetter> & { events?: unknown }) | undefined;
  const letter = readLetter(id, value);
  const { attempts, atMs, reason } = value ?? {};
  if (letter === undefined || !isCount(attempts) || !isCount(atMs) || !isText(reason)) return undefined;
  return { letter, attempts, atMs, reason };
}

/** An event is written as it was read: JSON of an object keeps the order of its members. */
function readLetter(documentId: string, value: object | undefined): Letter | undefined {
  const id = readLetterDocumentId(documentId)?.letterId;
  const { events, count, last } = (value ?? {}) as {
    events?: unknown;
    count?: unknown;
    last?: Letter['last'];
  };
  if (id === undefined || !Array.isArray(events) || events.length === 0 || !isCount(count)) return undefined;
  if (!isText(last?.id) || !isText(last.time)) return undefined;
  return { id, events: events.map((event) => JSON.stringify(event)), count, last };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

const pageOfDocuments = 100;

/** Documents of the letters of one webhook, by id, those whose time is over left out. */
export async function* letterDocuments(
  store: Pick<IndicatorStore, 'documents'>,
  collection: string,
  webhookId: string,
  nowMs: number,
): AsyncGenerator<{ readonly id: string; readonly body: string }> {
  const prefix = letterDocumentId(webhookId, '');
  for (let after = prefix; ; ) {
    const page = await store.documents(collection, after, pageOfDocuments);
    for (const { id, body, expiresMs } of page) {
      if (!id.startsWith(prefix)) return;
      if (body !== undefined && (expiresMs ?? Number.POSITIVE_INFINITY) > nowMs) yield { id, body };
    }
    const last = page.at(-1);
    if (last === undefined || page.length < pageOfDocuments) return;
    after = last.id;
  }
}
