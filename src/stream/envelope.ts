import type { NodeId } from '../event/types.ts';
import { presentRecord } from '../indicator/present.ts';
import { rfc3339 } from '../indicator/times.ts';
import type { Change } from '../store/store.ts';
import type { Subject, Topic } from './subject.ts';

/** One message of the stream, rendered once for all transports. */
export type StreamMessage = {
  readonly position: number;
  readonly cursor: string;
  readonly topic: Topic;
  /** What ZeroMQ subscribers match: `<topic>/<itype>/<tlp>/`, `search/<itype>/` or `search/pattern/`. */
  readonly zeromqTopic: string;
  /** CloudEvents 1.0 in JSON. */
  readonly json: string;
  /** The event's id, the same on every node. */
  readonly id: string;
  readonly change: Change;
};

/** `nodeId` is the node whose stream this is; the event's id names its origin. */
export function streamMessage(
  change: Change,
  subject: Subject,
  cursor: string,
  nodeId: NodeId,
): StreamMessage {
  const { id, type, ms, topic } = subject;
  return {
    position: change.position,
    cursor,
    topic,
    zeromqTopic: zeromqTopicOf(subject),
    json: cloudEvent({ id, type, nodeId, ms, cursor, data: dataOf(subject) }),
    id,
    change,
  };
}

function zeromqTopicOf(subject: Subject): string {
  if (subject.topic === 'search') return `search/${subject.search.itype ?? 'pattern'}/`;
  const { itype, tlp } = subject.record;
  return `${subject.topic}/${itype}/${tlp}/`;
}

function dataOf(subject: Subject): object {
  if (subject.topic !== 'search') return presentRecord(subject.record);
  const { q, itype, by } = subject.search;
  return { q, ...(itype && { itype }), by, node: subject.node, time: rfc3339(subject.ms) };
}

export type CloudEvent = {
  readonly id: string;
  readonly type: string;
  readonly nodeId: NodeId;
  /** When it happened, Unix milliseconds. */
  readonly ms: number;
  readonly cursor: string;
  readonly data: object;
};

/** CloudEvents 1.0, JSON format, structured mode; `cursor` is an extension attribute. */
export function cloudEvent({ id, type, nodeId, ms, cursor, data }: CloudEvent): string {
  return JSON.stringify({
    specversion: '1.0',
    id,
    type,
    source: nodeId,
    time: rfc3339(ms),
    datacontenttype: 'application/json',
    cursor,
    data,
  });
}
