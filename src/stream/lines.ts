import type { Clock } from '../clock.ts';
import type { NodeId } from '../event/types.ts';
import { cloudEvent } from './envelope.ts';
import type { Notice, Part } from './reading.ts';

/** A part of a stream as CloudEvents in JSON, one each: lines of NDJSON, frames of a WebSocket. */
export function linesOf(part: Part, nodeId: NodeId, clock: Clock): readonly string[] {
  return part.kind === 'messages' ? part.messages.map(({ json }) => json) : [noticeLine(part, nodeId, clock)];
}

/** What the stream says of itself: `tocsin.stream.connected`, `reset`, `gap` and `alive`. */
function noticeLine({ kind, cursor, data }: Notice, nodeId: NodeId, clock: Clock): string {
  const ms = clock.wallMs();
  const id = `${kind}-${cursor}-${ms.toString(36)}`;
  return cloudEvent({ id, type: `tocsin.stream.${kind}`, nodeId, ms, cursor, data });
}
