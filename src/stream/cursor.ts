import type { NodeId } from '../event/types.ts';

/** What a cursor says; opaque to those who hold it. */
export type Cursor = {
  readonly nodeId: string;
  /** In the stream of that node. */
  readonly position: number;
  /** Everything that was made before it, anywhere, lies before the cursor: where any other node goes on. Unix milliseconds. */
  readonly settledMs: number;
};

/** A cursor's time is taken so much earlier: clocks differ by a minute at most (design 3), and what is said takes its way. */
export const foreignMarginMs = 2 * 60_000;

const form = /^([0-9a-f]{32})\.(\d{1,15})\.([0-9a-z]{1,9})$/;

/** `<node id>.<position>.<milliseconds in base 36>` */
export function cursorOf(nodeId: NodeId, position: number, settledMs: number): string {
  return `${nodeId}.${position}.${Math.max(0, Math.floor(settledMs)).toString(36)}`;
}

/** Undefined when it is none. */
export function readCursor(text: string): Cursor | undefined {
  const [, nodeId, position, ms] = form.exec(text) ?? [];
  if (nodeId === undefined || position === undefined || ms === undefined) return undefined;
  return { nodeId, position: Number(position), settledMs: Number.parseInt(ms, 36) };
}
