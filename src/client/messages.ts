import { type IndicatorRecord, readRecord } from './records.ts';
import { type JsonObject, objectOf, parseObject, textOf } from './values.ts';

/** What all messages of the log have: CloudEvents 1.0, as the node sent it. */
type Envelope = {
  readonly specversion: '1.0';
  /** The event's id, the same on every node. */
  readonly id: string;
  /** The id of the node that serves the stream. */
  readonly source: string;
  /** RFC 3339: when the event was made. */
  readonly time: string;
  /** Where a stream goes on after this message: `stream({ cursor })`, at any node. */
  readonly cursor: string;
  /**
   * The event was handed out before, and so was a message with its record in a state without it: after a move to another node, which
   * heard the two in another order. This is the record as it is now.
   */
  readonly repeated?: true;
};

/** Someone said something about an indicator. */
export type IndicatorMessage = Envelope & {
  readonly kind: 'indicator';
  readonly type: 'tocsin.indicator.created' | 'tocsin.indicator.updated';
  /** The record as it was when the node stored the event; so everywhere. */
  readonly data: IndicatorRecord;
};
/** A sensor saw it. */
export type SightingMessage = Envelope & {
  readonly kind: 'sighting';
  readonly type: 'tocsin.sighting';
  readonly data: IndicatorRecord;
};
/** It was taken back. */
export type RetractMessage = Envelope & {
  readonly kind: 'retract';
  readonly type: 'tocsin.retract';
  readonly data: IndicatorRecord;
};
/** Its time is over. */
export type ExpireMessage = Envelope & {
  readonly kind: 'expire';
  readonly type: 'tocsin.expire';
  readonly data: IndicatorRecord;
};
/** Someone asked. */
export type SearchMessage = Envelope & {
  readonly kind: 'search';
  readonly type: 'tocsin.search';
  readonly data: {
    /** The canonical indicator, or a pattern as it was typed. */
    readonly q: string;
    readonly itype?: string;
    /** Name of who asked. */
    readonly by: string;
    /** Id of the node that was asked. */
    readonly node?: string;
    readonly time?: string;
  };
};
/** A message of a later release. */
export type OtherMessage = Envelope & {
  readonly kind: 'other';
  readonly type: string;
  readonly data: JsonObject;
};
/**
 * The stream could not go on where it stopped: messages are missing. It goes on live at `cursor`; what is missing is in a new
 * `snapshot()`.
 */
export type ResetMessage = {
  readonly kind: 'reset';
  readonly cursor: string;
  /** A sentence of the node. */
  readonly detail: string;
};

/** One message of a stream; `kind` tells them apart. */
export type StreamMessage =
  | IndicatorMessage
  | SightingMessage
  | RetractMessage
  | ExpireMessage
  | SearchMessage
  | OtherMessage
  | ResetMessage;

/** A message of the log: all but `reset`. */
export type EventMessage = Exclude<StreamMessage, ResetMessage>;

const kinds: Readonly<Record<string, Exclude<EventMessage['kind'], 'search' | 'other'>>> = {
  'tocsin.indicator.created': 'indicator',
  'tocsin.indicator.updated': 'indicator',
  'tocsin.sighting': 'sighting',
  'tocsin.retract': 'retract',
  'tocsin.expire': 'expire',
};

/** A message as it stands in a stream; undefined when it is none. */
export function readMessage(text: string): EventMessage | undefined {
  const envelope = parseObject(text);
  if (envelope === undefined) return undefined;
  const { specversion, id, type, source, time, cursor } = envelope;
  const data = objectOf(envelope['data']);
  for (const part of [id, type, source, time, cursor]) if (typeof part !== 'string') return undefined;
  if (specversion !== '1.0' || data === undefined) return undefined;
  const kind = kinds[String(type)];
  if (kind !== undefined) return readRecord(data) && ({ kind, ...envelope } as unknown as EventMessage);
  if (type === 'tocsin.search') {
    if (textOf(data['q']) === undefined || textOf(data['by']) === undefined) return undefined;
    return { kind: 'search', ...envelope } as unknown as EventMessage;
  }
  return { kind: 'other', ...envelope } as unknown as EventMessage;
}
