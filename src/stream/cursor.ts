import type { NodeId } from '../event/types.ts';

/** A place in one node's stream. Opaque to those who hold it; on another node it means nothing, and that is told. */
export function cursorOf(nodeId: NodeId, position: number): string {
  return `${nodeId}.${position}`;
}

/** The position of a cursor of this node, or undefined. */
export function positionOf(nodeId: NodeId, cursor: string): number | undefined {
  const [node, digits, ...rest] = cursor.split('.');
  if (node !== nodeId || digits === undefined || rest.length > 0 || !/^\d{1,16}$/.test(digits))
    return undefined;
  return Number(digits);
}
