import type { Saying } from '../event/types.ts';
import {
  collectionRange,
  decodeDocument,
  documentKey,
  encodeDocument,
  newerDocument,
  type StoredDocument,
} from './document.ts';
import { getEach } from './reading.ts';
import type { Rows } from './rows.ts';
import type { RecordTables } from './tables.ts';

/** Questions about documents, and how they are written. */

export async function documentsByKey(
  { records }: RecordTables,
  keys: readonly string[],
): Promise<ReadonlyMap<string, StoredDocument>> {
  const wanted = [...new Set(keys)];
  const texts = await getEach(records, wanted);
  const known = new Map<string, StoredDocument>();
  for (const [i, key] of wanted.entries()) {
    const text = texts[i];
    if (text !== undefined) known.set(key, decodeDocument(text));
  }
  return known;
}

export async function documentAt(
  { records }: RecordTables,
  collection: string,
  id: string,
): Promise<StoredDocument | undefined> {
  const text = await records.get(documentKey(collection, id));
  const document = text === undefined ? undefined : decodeDocument(text);
  return document?.body === undefined ? undefined : document;
}

/** Those that are not deleted, by id. */
export async function documentsOf(
  { records }: RecordTables,
  collection: string,
  after: string | undefined,
  limit: number,
): Promise<readonly StoredDocument[]> {
  const found: StoredDocument[] = [];
  for await (const text of records.values(collectionRange(collection, after))) {
    if (found.length >= limit) break;
    const document = decodeDocument(text);
    if (document.body !== undefined) found.push(document);
  }
  return found;
}

export function documentRows(
  rows: Rows,
  { records }: RecordTables,
  documents: ReadonlyMap<string, StoredDocument>,
): void {
  for (const [key, document] of documents) rows.put(records, key, encodeDocument(document));
}

/** What has to be said anew of a document of earlier, when the present one is older or missing. */
export function documentBeyond(
  now: string | undefined,
  document: StoredDocument,
  expiredBeforeMs: number,
): readonly Saying[] {
  const { collection, id, body, expiresMs } = document;
  if (expiresMs !== undefined && expiresMs < expiredBeforeMs) return [];
  if (now !== undefined && newerDocument(decodeDocument(now), document) !== document) return [];
  const write = {
    collection,
    id,
    ...(body !== undefined && { body }),
    ...(expiresMs !== undefined && { expiresMs }),
  };
  return [{ kind: 'admin', body: write }];
}
