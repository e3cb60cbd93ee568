import { documentLimits, isDocumentBody, isDocumentName } from '../event/document.ts';
import { hlcMs } from '../event/hlc.ts';
import { type DocumentEvent, eventId, type Hlc, type NodeId } from '../event/types.ts';
import { compareStamps } from '../indicator/record.ts';

/** A document as the newest write left it. */
export type StoredDocument = {
  readonly collection: string;
  readonly id: string;
  /** JSON; undefined when it is deleted. */
  readonly body: string | undefined;
  /** Unix milliseconds, after which every store may forget it. */
  readonly expiresMs: number | undefined;
  readonly stamp: { readonly hlc: Hlc; readonly origin: NodeId };
};

const dayMs = 24 * 60 * 60 * 1_000;

const documentTimes = {
  searchKeptMs: 30 * dayMs,
  /** That something is deleted must be known for longer than anybody may be away. */
  deletionKeptMs: 90 * dayMs,
} as const;

export const searchCollection = 'search';

/** Documents stand among the records, so that a snapshot, the digest and the sweep have them too; behind all itypes. */
const prefix = '~';
/** Newest first, as searches are asked for. */
const latestMs = Number.MAX_SAFE_INTEGER;

export function documentKey(collection: string, id: string): string {
  return `${prefix}${collection}\0${id}`;
}

export function isDocumentKey(key: string): boolean {
  return key.startsWith(prefix);
}

/** All documents of a collection, from behind the id `after`. */
export function collectionRange(
  collection: string,
  after = '',
): { readonly gt: string; readonly lt: string } {
  return { gt: documentKey(collection, after), lt: `${prefix}${collection}\u0001` };
}

/** The document that an event writes; equal on every node. */
export function documentOf(event: DocumentEvent): StoredDocument {
  const { origin, hlc } = event;
  const stamp = { hlc, origin };
  const madeMs = hlcMs(hlc);
  if (event.kind === 'search') {
    const { q, itype, by } = event.body;
    return {
      collection: searchCollection,
      id: searchId(event),
      body: JSON.stringify({ q, ...(itype && { itype }), by }),
      expiresMs: madeMs + documentTimes.searchKeptMs,
      stamp,
    };
  }
  const { collection, id, body, expiresMs } = event.body;
  const deletedMs = body === undefined ? madeMs + documentTimes.deletionKeptMs : undefined;
  return { collection, id, body, expiresMs: expiresMs ?? deletedMs, stamp };
}

function searchId(event: DocumentEvent): string {
  return `${String(latestMs - hlcMs(event.hlc)).padStart(16, '0')}-${eventId(event)}`;
}

/** The id of the search event that made a document of the collection `search`. */
export function eventIdOfSearch({ id }: StoredDocument): string {
  return id.slice(id.indexOf('-') + 1);
}

const searchName = /^(\d{16})-(([0-9a-f]{32})-\d+)$/;

/**
 * The search event that a document of the collection `search` came from, by its id: also of one that was said anew by another
 * node. Undefined when the id is no search's.
 */
export function searchMadeBy({ id }: StoredDocument) {
  const [, before, event, node] = searchName.exec(id) ?? [];
  if (before === undefined || event === undefined || node === undefined) return undefined;
  return { id: event, node: node as NodeId, ms: latestMs - Number(before) };
}

/** The last write wins; one stamp that was signed twice is told apart by the text, so that all nodes agree. */
export function newerDocument(a: StoredDocument, b: StoredDocument): StoredDocument {
  const byStamp = compareStamps(a.stamp, b.stamp);
  if (byStamp !== 0) return byStamp > 0 ? a : b;
  return encodeDocument(a) >= encodeDocument(b) ? a : b;
}

/** As it is stored: a JSON list by position, which no record begins like. Equal documents give equal text. */
export function encodeDocument({ collection, id, body, expiresMs, stamp }: StoredDocument): string {
  return JSON.stringify([
    prefix,
    collection,
    id,
    stamp.hlc.toString(),
    stamp.origin,
    expiresMs ?? null,
    body ?? null,
  ]);
}

/** Reads what encodeDocument wrote. */
export function decodeDocument(text: string): StoredDocument {
  const [, collection, id, hlc, origin, expiresMs, body] = JSON.parse(text) as Row;
  return {
    collection,
    id,
    body: body ?? undefined,
    expiresMs: expiresMs ?? undefined,
    stamp: { hlc: BigInt(hlc), origin },
  };
}

type Row = readonly [
  mark: string,
  collection: string,
  id: string,
  hlc: string,
  origin: NodeId,
  expiresMs: number | null,
  body: string | null,
];

export function isDocumentText(text: string): boolean {
  return text.startsWith(`["${prefix}"`);
}

/** Reads a stranger's text, which must be letter by letter what encodeDocument writes; else undefined, or it throws. */
export function decodeStrangeDocument(text: string): StoredDocument | undefined {
  if (text.length > 2 * documentLimits.bodyCharactersMax * 6) return undefined;
  const row = JSON.parse(text) as Partial<Row>;
  const [, collection, id, hlc, origin, expiresMs, body] = row;
  const isDocument =
    row.length === 7 &&
    isDocumentName(collection, id) &&
    /^(?:0|[1-9]\d{0,19})$/.test(String(hlc)) &&
    /^[0-9a-f]{32}$/.test(String(origin)) &&
    (expiresMs === null || Number.isSafeInteger(expiresMs)) &&
    (body === null || isDocumentBody(body)) &&
    JSON.stringify(row) === text;
  return isDocument ? decodeDocument(text) : undefined;
}
