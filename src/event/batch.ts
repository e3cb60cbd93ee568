import { canonicalise } from '../indicator/canonical.ts';
import { observationLimits } from '../indicator/limits.ts';
import { type Itype, itypes, type Observation, type Tlp, tlps } from '../indicator/types.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { scanCbor } from './cbor-scan.ts';
import { type Identity, nodeIdOf, signatureChecker } from './identity.ts';
import type { Hlc, NodeId, OpenedBatch, TocsinEvent } from './types.ts';

/**
 * A batch on the wire: 64 bytes of Ed25519 signature over the body that follows. The body is plain CBOR, read by position:
 *
 *   [ 1, origin, public key, first seq, count, first hlc, [*hlc offset], [*kind], [*column] ]
 *
 * Kinds are numbers (1 = observe). The columns are the fields of the observations in the order of `columns` below; a column
 * of one value stands for all rows. What a later release puts behind them is ignored, and so are kinds that it adds.
 */
export const batchLimits = {
  eventsMax: 256,
  bytesMax: 256 * 1024,
  signatureBytes: 64,
  /** Room that a full batch of long descriptions needs beside what we count while filling it. */
  overheadBytes: 4 * 1024,
} as const;

export type BatchRefusal =
  | 'batch-size'
  | 'batch-shape'
  | 'batch-signature'
  | 'batch-origin'
  | 'batch-event'
  | 'batch-cbor';

const version = 1;
const observeKind = 1;
const scanLimits = { depthMax: 5, itemsMax: 50_000 };

/** The order is the format: only ever add at the end. */
const columns = [
  'indicator',
  'itype',
  'provider',
  'group',
  'tlp',
  'confidence',
  'tags',
  'count',
  'firsttimeMs',
  'lasttimeMs',
  'expiretimeMs',
  'description',
  'reference',
  'portlist',
  'protocol',
  'rdata',
  'asn',
  'asnDesc',
  'cc',
  'latitude',
  'longitude',
] as const satisfies readonly (keyof Observation)[];

const isSigned = signatureChecker();

/** Signs what a node says, in order, as batches within the limits. */
export function sealBatches(
  identity: Identity,
  firstSeq: number,
  entries: readonly { readonly hlc: Hlc; readonly body: Observation }[],
): readonly OpenedBatch[] {
  const batches: OpenedBatch[] = [];
  let start = 0;
  let bytes: number = batchLimits.overheadBytes;
  for (const [i, entry] of entries.entries()) {
    const size = sizeOf(entry.body);
    if (i > start && (i - start >= batchLimits.eventsMax || bytes + size > batchLimits.bytesMax)) {
      batches.push(seal(identity, firstSeq + start, entries.slice(start, i)));
      start = i;
      bytes = batchLimits.overheadBytes;
    }
    bytes += size;
  }
  if (start < entries.length) batches.push(seal(identity, firstSeq + start, entries.slice(start)));
  return batches;
}

function seal(
  identity: Identity,
  firstSeq: number,
  entries: readonly { readonly hlc: Hlc; readonly body: Observation }[],
): OpenedBatch {
  const firstHlc = entries[0]?.hlc ?? 0n;
  const lastHlc = entries.at(-1)?.hlc ?? 0n;
  const body = encodeCbor([
    version,
    Buffer.from(identity.nodeId, 'hex'),
    identity.publicKey,
    firstSeq,
    entries.length,
    firstHlc,
    entries.map(({ hlc }) => Number(hlc - firstHlc)),
    [observeKind],
    columns.map((name) => columnOf(entries.map(({ body }) => body[name] ?? null))),
  ]);
  return {
    origin: identity.nodeId,
    firstSeq,
    lastSeq: firstSeq + entries.length - 1,
    lastHlc,
    bytes: Buffer.concat([identity.sign(body), body]),
    events: entries.map(({ hlc, body: observation }, i) => ({
      origin: identity.nodeId,
      seq: firstSeq + i,
      hlc,
      kind: 'observe',
      body: observation,
    })),
  };
}

/** Opens a stranger's batch: the signature, the origin, and every field of every event are checked. Never throws. */
export function openBatch(bytes: Uint8Array): Parsed<OpenedBatch, BatchRefusal> {
  if (
    bytes.length <= batchLimits.signatureBytes ||
    bytes.length > batchLimits.bytesMax + batchLimits.overheadBytes
  ) {
    return refuse('batch-size', `a batch has up to ${batchLimits.bytesMax} bytes`);
  }
  const body = bytes.subarray(batchLimits.signatureBytes);
  const scanned = scanCbor(body, scanLimits);
  if (scanned !== undefined) return refuse('batch-cbor', scanned);
  const header = readHeader(body);
  if (header === undefined) return refuse('batch-shape', 'the batch is not laid out as version 1 is');
  if (nodeIdOf(header.publicKey) !== header.origin)
    return refuse('batch-origin', 'the key is not its origin’s');
  if (!isSigned(header.publicKey, body, bytes.subarray(0, batchLimits.signatureBytes))) {
    return refuse('batch-signature', 'the signature is not of these bytes');
  }
  const events = readEvents(header, true);
  return events === undefined
    ? refuse('batch-event', 'an event of it is no event')
    : accept(openedFrom(header, events, bytes));
}

/** Reads a batch of our own log. Throws on one that is damaged. */
export function readBatch(bytes: Uint8Array): OpenedBatch {
  const header = readHeader(bytes.subarray(batchLimits.signatureBytes));
  const events = header && readEvents(header, false);
  if (header === undefined || events === undefined) throw new TypeError('a batch of the log cannot be read');
  return openedFrom(header, events, bytes);
}

type Header = {
  readonly origin: NodeId;
  readonly publicKey: Uint8Array;
  readonly firstSeq: number;
  readonly count: number;
  readonly hlcs: readonly Hlc[];
  readonly kinds: readonly unknown[];
  readonly columns: readonly (readonly unknown[])[];
};

function openedFrom(header: Header, events: readonly TocsinEvent[], bytes: Uint8Array): OpenedBatch {
  const { origin, firstSeq, count, hlcs } = header;
  // A copy: what came from a socket shares its memory with other messages.
  return {
    origin,
    firstSeq,
    lastSeq: firstSeq + count - 1,
    lastHlc: hlcs.at(-1) ?? 0n,
    bytes: Buffer.from(bytes),
    events,
  };
}

function readHeader(body: Uint8Array): Header | undefined {
  const value = decodeCbor(body);
  if (!Array.isArray(value)) return undefined;
  const [of, origin, publicKey, firstSeq, count, firstHlc, offsets, kinds, fields] =
    value as readonly unknown[];
  if (of !== version) return undefined;
  if (!isBytes(origin, 16) || !isBytes(publicKey, 32)) return undefined;
  if (!isCount(firstSeq) || !isCount(count) || count > batchLimits.eventsMax) return undefined;
  if (!Number.isSafeInteger(firstSeq + count) || !isHlc(firstHlc)) return undefined;
  if (!Array.isArray(offsets) || offsets.length !== count) return undefined;
  if (!isColumn(kinds, count) || !Array.isArray(fields)) return undefined;
  const hlcs: Hlc[] = [];
  for (const offset of offsets as readonly unknown[]) {
    if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) return undefined;
    const hlc = BigInt(firstHlc) + BigInt(offset);
    // An origin's clock never goes back.
    const last = hlcs.at(-1);
    if ((last !== undefined && hlc <= last) || hlc >= 1n << 64n) return undefined;
    hlcs.push(hlc);
  }
  if (!fields.every((column): column is unknown[] => Array.isArray(column))) return undefined;
  return {
    origin: Buffer.from(origin).toString('hex') as NodeId,
    publicKey,
    firstSeq,
    count,
    hlcs,
    kinds,
    columns: fields,
  };
}

function readEvents(header: Header, check: boolean): readonly TocsinEvent[] | undefined {
  const { origin, firstSeq, count, hlcs, kinds } = header;
  const observations = Array.from({ length: count }, (_, i) => at(kinds, i) === observeKind).filter(
    Boolean,
  ).length;
  if (observations > 0) {
    if (header.columns.length < columns.length) return undefined;
    if (!columns.every((_, i) => isColumn(header.columns[i], observations))) return undefined;
  }
  const events: TocsinEvent[] = [];
  let row = 0;
  for (const [i, hlc] of hlcs.entries()) {
    const seq = firstSeq + i;
    const kind = at(kinds, i);
    if (typeof kind !== 'number') return undefined;
    if (kind !== observeKind) {
      events.push({ origin, seq, hlc, kind: 'unknown' });
      continue;
    }
    const body = readObservation(header.columns, row++);
    if (check && !isObservation(body)) return undefined;
    // Checked above, or written by ourselves.
    events.push({ origin, seq, hlc, kind: 'observe', body: body as unknown as Observation });
  }
  return events;
}

function readObservation(fields: readonly (readonly unknown[])[], row: number): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const [i, name] of columns.entries()) {
    const value = at(fields[i] ?? [], row);
    if (value !== null && value !== undefined) body[name] = value;
  }
  return body;
}

/** A peer is inside the trust domain, but may be of another release or out of its mind: the shape, every cap, the canonical form. */
function isObservation(body: Record<string, unknown>): boolean {
  const limits = observationLimits;
  const { indicator, itype, tlp, confidence, tags, count, firsttimeMs, lasttimeMs } = body;
  if (!isText(indicator, 8_192) || !isOneOf<Itype>(itypes, itype) || !isOneOf<Tlp>(tlps, tlp)) return false;
  const canonical = canonicalise(indicator, itype);
  if (!canonical.ok || canonical.value.indicator !== indicator || canonical.value.itype !== itype)
    return false;
  if (!isName(body['provider']) || !isName(body['group'])) return false;
  if (!isNumber(confidence, 0, limits.confidenceMax) || !isWhole(count, 1, limits.countMax)) return false;
  if (!isTime(firsttimeMs) || !isTime(lasttimeMs) || firsttimeMs > lasttimeMs) return false;
  if (!Array.isArray(tags) || tags.length > limits.tagsMax) return false;
  if (!tags.every((tag, i) => isText(tag, limits.tagCharactersMax) && (i === 0 || tags[i - 1] < tag)))
    return false;
  return (
    isAbsentOr(body['expiretimeMs'], isTime) &&
    isAbsentOr(body['description'], (value) => isText(value, limits.descriptionCharactersMax)) &&
    isAbsentOr(body['reference'], (value) => isText(value, limits.referenceCharactersMax)) &&
    isAbsentOr(body['portlist'], (value) => isText(value, limits.portItemsMax * 12)) &&
    isAbsentOr(body['protocol'], (value) => isText(value, limits.protocolCharactersMax)) &&
    isAbsentOr(body['rdata'], (value) => isText(value, limits.rdataCharactersMax)) &&
    isAbsentOr(body['asn'], (value) => isWhole(value, 1, 0xffff_ffff)) &&
    isAbsentOr(body['asnDesc'], (value) => isText(value, limits.asnDescCharactersMax)) &&
    isAbsentOr(body['cc'], (value) => typeof value === 'string' && /^[A-Z]{2}$/.test(value)) &&
    isAbsentOr(body['latitude'], (value) => isNumber(value, -90, 90)) &&
    isAbsentOr(body['longitude'], (value) => isNumber(value, -180, 180))
  );
}

/** One value when all rows agree. */
function columnOf(values: readonly unknown[]): readonly unknown[] {
  const [first] = values;
  const same = Array.isArray(first)
    ? (value: unknown) =>
        Array.isArray(value) && value.length === first.length && value.every((item, i) => item === first[i])
    : (value: unknown) => value === first;
  return values.every(same) ? values.slice(0, 1) : values;
}

function at(column: readonly unknown[], row: number): unknown {
  return column.length === 1 ? column[0] : column[row];
}

function isColumn(value: unknown, rows: number): value is readonly unknown[] {
  return Array.isArray(value) && (value.length === 1 || value.length === rows);
}

/** An upper bound of what an observation adds to a batch; UTF-16 units take at most three bytes of UTF-8. */
function sizeOf(body: Observation): number {
  let size = 120 + 3 * (body.indicator.length + body.provider.length + body.group.length);
  for (const tag of body.tags) size += tag.length + 2;
  for (const text of [
    body.description,
    body.reference,
    body.portlist,
    body.protocol,
    body.rdata,
    body.asnDesc,
  ]) {
    if (text !== undefined) size += 3 * text.length + 3;
  }
  return size;
}

function isBytes(value: unknown, length: number): value is Uint8Array {
  return value instanceof Uint8Array && value.length === length;
}

function isCount(value: unknown): value is number {
  return isWhole(value, 1, Number.MAX_SAFE_INTEGER);
}

function isHlc(value: unknown): value is bigint | number {
  return (typeof value === 'bigint' || isWhole(value, 0, Number.MAX_SAFE_INTEGER)) && value >= 0;
}

function isText(value: unknown, charactersMax: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= charactersMax;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && /^[A-Za-z0-9._@:-]{1,64}$/.test(value);
}

function isNumber(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && value >= min && value <= max;
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return isNumber(value, min, max) && Number.isInteger(value);
}

function isTime(value: unknown): value is number {
  return isWhole(value, 0, 8_640_000_000_000_000);
}

function isOneOf<T extends string>(allowed: readonly T[], value: unknown): value is T {
  return (allowed as readonly unknown[]).includes(value);
}

function isAbsentOr(value: unknown, check: (value: unknown) => boolean): boolean {
  return value === undefined || check(value);
}
