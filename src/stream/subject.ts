import { isSearch, type Search } from '../event/document.ts';
import { hlcMs } from '../event/hlc.ts';
import { eventId } from '../event/types.ts';
import { canonicalise } from '../indicator/canonical.ts';
import { recordId } from '../indicator/record.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import type { Change, DocumentChanged, RecordChanged, RecordExpired } from '../store/store.ts';

/** What a message is about; the first part of its ZeroMQ topic, and the `event` of Server-Sent Events. */
export const topics = ['indicator', 'sighting', 'retract', 'expire', 'search'] as const;
export type Topic = (typeof topics)[number];

/** A change as the stream tells it. */
export type Subject = {
  /** The event's id, the same on every node. */
  readonly id: string;
  /** When it was made, Unix milliseconds. */
  readonly ms: number;
} & (
  | {
      readonly topic: Exclude<Topic, 'search'>;
      /** CloudEvents' `type`. */
      readonly type: string;
      readonly record: IndicatorRecord;
    }
  | { readonly topic: 'search'; readonly type: string; readonly search: Search; readonly node: string }
);

const topicOfKind = { observe: 'indicator', sight: 'sighting', retract: 'retract' } as const;

/** Undefined when nobody is told of it: a document. */
export function subjectOf(change: Change): Subject | undefined {
  if ('outcome' in change) return ofStatement(change);
  if ('document' in change) return ofDocument(change);
  return ofExpiry(change);
}

/** When a change was made, Unix milliseconds. */
export function madeMs({ event }: Change): number {
  return event.kind === 'expire' ? event.atMs : hlcMs(event.hlc);
}

function ofStatement({ event, outcome, record }: RecordChanged): Subject {
  const topic = topicOfKind[event.kind];
  const type = topic === 'indicator' ? `tocsin.indicator.${outcome}` : `tocsin.${topic}`;
  return { id: eventId(event), ms: hlcMs(event.hlc), topic, type, record };
}

/** Each node finds by itself what has expired: the id is that of the record and its end, so that it is the same everywhere. */
function ofExpiry({ event: { atMs }, record }: RecordExpired): Subject {
  const id = `expire-${recordId(record)}-${atMs}`;
  return { id, ms: atMs, topic: 'expire', type: 'tocsin.expire', record };
}

function isCanonical({ q, itype }: Search): boolean {
  if (itype === undefined) return true;
  const read = canonicalise(q, itype);
  return read.ok && read.value.itype === itype && read.value.indicator === q;
}

function ofDocument({ event, document }: DocumentChanged): Subject | undefined {
  if (event.kind !== 'search' || document.body === undefined) return undefined;
  const { q, itype, by } = JSON.parse(document.body) as { readonly [name in keyof Search]: unknown };
  const search = { q, itype, by };
  // A peer out of its mind may have written anything.
  if (!isSearch(search) || !isCanonical(search)) return undefined;
  return {
    id: eventId(event),
    ms: hlcMs(event.hlc),
    topic: 'search',
    type: 'tocsin.search',
    search,
    node: event.origin,
  };
}
