import { hlcMs } from '../event/hlc.ts';
import { eventId, type NodeId } from '../event/types.ts';
import { presentRecord } from '../indicator/present.ts';
import { rfc3339 } from '../indicator/times.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import type { Change, RecordChanged } from '../store/store.ts';
import { cursorOf } from './cursor.ts';

/** One message of the stream, rendered once for all transports. */
export type StreamMessage = {
  readonly position: number;
  readonly cursor: string;
  readonly topic: Topic;
  /** What ZeroMQ subscribers match: `<topic>/<itype>/<tlp>/`. */
  readonly zeromqTopic: string;
  /** CloudEvents 1.0 in JSON. */
  readonly json: string;
  readonly record: IndicatorRecord;
};

export type Topic = 'indicator' | 'sighting' | 'retract';

const topics: Readonly<Record<RecordChanged['event']['kind'], Topic>> = {
  observe: 'indicator',
  sight: 'sighting',
  retract: 'retract',
};

/** `nodeId` is the node whose stream this is; the event's id names its origin, and is the same on every node. */
export function streamMessage(change: Change, nodeId: NodeId): StreamMessage | undefined {
  if (!('outcome' in change)) return undefined;
  const { position, event, outcome, record } = change;
  const topic = topics[event.kind];
  const cursor = cursorOf(nodeId, position);
  return {
    position,
    cursor,
    topic,
    zeromqTopic: `${topic}/${record.itype}/${record.tlp}/`,
    json: JSON.stringify({
      specversion: '1.0',
      id: eventId(event),
      type: topic === 'indicator' ? `tocsin.indicator.${outcome}` : `tocsin.${topic}`,
      source: nodeId,
      time: rfc3339(hlcMs(event.hlc)),
      datacontenttype: 'application/json',
      cursor,
      data: presentRecord(record),
    }),
    record,
  };
}
