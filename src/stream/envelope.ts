import { hlcMs } from '../event/hlc.ts';
import { eventId, type NodeId } from '../event/types.ts';
import { presentRecord } from '../indicator/present.ts';
import { rfc3339 } from '../indicator/times.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import type { Change } from '../store/store.ts';
import { cursorOf } from './cursor.ts';

/** One message of the stream, rendered once for all transports. */
export type StreamMessage = {
  readonly position: number;
  readonly cursor: string;
  readonly topic: 'indicator';
  /** What ZeroMQ subscribers match: `indicator/<itype>/<tlp>/`. */
  readonly zeromqTopic: string;
  /** CloudEvents 1.0 in JSON. */
  readonly json: string;
  readonly record: IndicatorRecord;
};

/** `nodeId` is the node whose stream this is; the event's id names its origin, and is the same on every node. */
export function streamMessage(change: Change, nodeId: NodeId): StreamMessage {
  const { position, event, outcome, record } = change;
  const cursor = cursorOf(nodeId, position);
  return {
    position,
    cursor,
    topic: 'indicator',
    zeromqTopic: `indicator/${record.itype}/${record.tlp}/`,
    json: JSON.stringify({
      specversion: '1.0',
      id: eventId(event),
      type: `tocsin.indicator.${outcome}`,
      source: nodeId,
      time: rfc3339(hlcMs(event.hlc)),
      datacontenttype: 'application/json',
      cursor,
      data: presentRecord(record),
    }),
    record,
  };
}
