import type { Observation } from '../indicator/types.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { type OtherSaying, readBody, writeBody } from './bodies.ts';
import { decodeCbor, encodeCbor } from './cbor.ts';
import { scanCbor } from './cbor-scan.ts';
import { areObservations, type Column, isColumn, readColumns, valueAt, writeColumns } from './columns.ts';
import { type Identity, nodeIdOf, signatureChecker } from './identity.ts';
import type { Entry, Hlc, NodeId, OpenedBatch, Saying, TocsinEvent } from './types.ts';

/**
 * A batch on the wire: 64 bytes of Ed25519 signature over the body that follows. The body is plain CBOR, read by position:
 *
 *   [ 1, origin, public key, first seq, count, first hlc, [*hlc offset], [*kind], [*column], [*body] ]
 *
 * Kinds are numbers (1 observe, 3 sight, 4 retract, 5 search, 6 admin). The columns are the fields of the observations in the order of columns.ts;
 * a column of one value stands for all rows. All other events have a body each, as bodies.ts has it; the list is absent
 * when there are none. What a later release puts behind them is ignored, and so are kinds that it adds.
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
const kindNumbers = { observe: observeKind, sight: 3, retract: 4, search: 5, admin: 6 } as const;
const otherKinds: ReadonlyMap<number, OtherSaying['kind']> = new Map([
  [kindNumbers.sight, 'sight'],
  [kindNumbers.retract, 'retract'],
  [kindNumbers.search, 'search'],
  [kindNumbers.admin, 'admin'],
]);
const scanLimits = { depthMax: 5, itemsMax: 50_000 };

const isSigned = signatureChecker();

/** Signs what a node says, in order, as batches within the limits. */
export function sealBatches(
  identity: Identity,
  firstSeq: number,
  entries: readonly Entry[],
): readonly OpenedBatch[] {
  const batches: OpenedBatch[] = [];
  let start = 0;
  let bytes: number = batchLimits.overheadBytes;
  for (const [i, entry] of entries.entries()) {
    const size = sizeOf(entry);
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

function seal(identity: Identity, firstSeq: number, entries: readonly Entry[]): OpenedBatch {
  const observed = entries.filter((entry) => entry.kind === 'observe');
  const others = entries.filter((entry) => entry.kind !== 'observe');
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
    others.length === 0 ? [observeKind] : entries.map(({ kind }) => kindNumbers[kind]),
    observed.length === 0 ? [] : writeColumns(observed),
    ...(others.length === 0 ? [] : [others.map(writeBody)]),
  ]);
  return {
    origin: identity.nodeId,
    firstSeq,
    lastSeq: firstSeq + entries.length - 1,
    lastHlc,
    bytes: Buffer.concat([identity.sign(body), body]),
    events: entries.map((entry, i) => eventOf(identity.nodeId, firstSeq + i, entry.hlc, entry)),
  };
}

/** In one layout, whoever makes it (see shape.ts of the indicator room). */
function eventOf(origin: NodeId, seq: number, hlc: Hlc, { kind, body }: Saying): TocsinEvent {
  return { origin, seq, hlc, kind, body } as TocsinEvent;
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
  readonly kinds: Column;
  readonly columns: readonly Column[];
  readonly bodies: readonly unknown[] | undefined;
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
  const [of, origin, publicKey, firstSeq, count, firstHlc, offsets, kinds, fields, bodies] =
    value as readonly unknown[];
  if (of !== version) return undefined;
  if (!isBytes(origin, 16) || !isBytes(publicKey, 32)) return undefined;
  if (!isCount(firstSeq) || !isCount(count) || count > batchLimits.eventsMax) return undefined;
  if (!Number.isSafeInteger(firstSeq + count) || !isHlc(firstHlc)) return undefined;
  if (!Array.isArray(offsets) || offsets.length !== count) return undefined;
  if (!isColumn(kinds, count) || !Array.isArray(fields)) return undefined;
  if (bodies !== undefined && !Array.isArray(bodies)) return undefined;
  const hlcs = readHlcs(BigInt(firstHlc), offsets);
  if (hlcs === undefined) return undefined;
  if (!fields.every((column): column is unknown[] => Array.isArray(column))) return undefined;
  return {
    origin: Buffer.from(origin).toString('hex') as NodeId,
    publicKey,
    firstSeq,
    count,
    hlcs,
    kinds,
    columns: fields,
    bodies,
  };
}

/** An origin's clock never goes back, and has 64 bits. */
function readHlcs(first: Hlc, offsets: readonly unknown[]): readonly Hlc[] | undefined {
  const hlcs: Hlc[] = [];
  let last = -1;
  for (const offset of offsets) {
    if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset <= last) return undefined;
    hlcs.push(first + BigInt(offset));
    last = offset;
  }
  return (hlcs.at(-1) ?? first) >> 64n === 0n ? hlcs : undefined;
}

function readEvents(header: Header, check: boolean): readonly TocsinEvent[] | undefined {
  const { origin, firstSeq, hlcs, kinds, columns, bodies } = header;
  const observed = hlcs.reduce((sum, _, i) => (valueAt(kinds, i) === observeKind ? sum + 1 : sum), 0);
  const observations = observed === 0 ? [] : readColumns(columns, observed);
  if (observations === undefined || (check && observed > 0 && !areObservations(columns, observations))) {
    return undefined;
  }
  const events: TocsinEvent[] = [];
  let row = 0;
  let body = 0;
  for (const [i, hlc] of hlcs.entries()) {
    const kind = valueAt(kinds, i);
    if (typeof kind !== 'number') return undefined;
    const seq = firstSeq + i;
    const observation = kind === observeKind ? observations[row++] : undefined;
    if (observation !== undefined) {
      events.push(eventOf(origin, seq, hlc, { kind: 'observe', body: observation }));
      continue;
    }
    const value = bodies?.[body++];
    const other = otherKinds.get(kind);
    if (other === undefined) {
      events.push({ origin, seq, hlc, kind: 'unknown' });
      continue;
    }
    const saying = readBody(other, value);
    if (saying === undefined) return undefined;
    events.push(eventOf(origin, seq, hlc, saying));
  }
  return events;
}

/** An upper bound of what an event adds to a batch; UTF-16 units take at most three bytes of UTF-8. */
function sizeOf(saying: Saying): number {
  if (saying.kind === 'search') return 120 + 3 * (saying.body.q.length + saying.body.by.length);
  if (saying.kind === 'admin') {
    const { collection, id, body = '' } = saying.body;
    return 120 + collection.length + id.length + 3 * body.length;
  }
  const { indicator, provider, group } = saying.body;
  const size = 120 + 3 * (indicator.length + provider.length + group.length);
  if (saying.kind === 'observe') return size + sizeOfTexts(saying.body);
  return saying.kind === 'retract' ? size + 3 * saying.body.reason.length : size;
}

function sizeOfTexts(body: Observation): number {
  let size = 0;
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

function isWhole(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
