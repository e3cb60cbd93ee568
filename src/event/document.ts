import { indicatorLimits } from '../indicator/limits.ts';
import { type Itype, itypes } from '../indicator/types.ts';
import { isText, isTime } from './columns.ts';

/** What a person asked for, which is never a feed: the body of a `search` event. */
export type Search = {
  /** As it was understood: the canonical indicator, or a pattern as it was typed. */
  readonly q: string;
  readonly itype?: Itype;
  /** The name of who asked. */
  readonly by: string;
};

/**
 * A document that all nodes hold, such as a webhook's settings: the body of an `admin` event. The last write of a document by
 * hybrid time and origin wins whole.
 */
export type DocumentWrite = {
  /** What it is one of: `webhook`. */
  readonly collection: string;
  readonly id: string;
  /** An object in JSON; without one the document is deleted. */
  readonly body?: string;
  /** Unix milliseconds, after which every store may forget it. */
  readonly expiresMs?: number;
};

export const documentLimits = {
  collectionCharactersMax: 32,
  idCharactersMax: 200,
  bodyCharactersMax: 64 * 1024,
  searcherCharactersMax: 64,
} as const;

/** A peer may be out of its mind: the shape, and every cap. */
export function isSearch(search: { readonly [name in keyof Search]: unknown }): search is Search {
  const { q, itype, by } = search;
  return (
    isText(indicatorLimits.rawCharactersMax)(q) &&
    (itype === undefined || itypes.some((one) => one === itype)) &&
    isText(documentLimits.searcherCharactersMax)(by)
  );
}

export function isDocumentWrite(
  write: {
    readonly [name in keyof DocumentWrite]: unknown;
  },
): write is DocumentWrite {
  const { collection, id, body, expiresMs } = write;
  return (
    isDocumentName(collection, id) &&
    (body === undefined || isDocumentBody(body)) &&
    (expiresMs === undefined || isTime(expiresMs))
  );
}

export function isDocumentName(collection: unknown, id: unknown): boolean {
  return (
    isText(documentLimits.collectionCharactersMax)(collection) &&
    /^[a-z-]+$/.test(collection) &&
    isText(documentLimits.idCharactersMax)(id) &&
    /^[A-Za-z0-9._:-]+$/.test(id)
  );
}

export function isDocumentBody(body: unknown): boolean {
  if (!isText(documentLimits.bodyCharactersMax)(body)) return false;
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
