import type { Clock } from '../clock.ts';

/** Virtual time: nothing happens until `step` makes it happen, and everything happens in one order. */
export interface SimulatedClock extends Clock {
  /** Runs the next due task and moves time to it; false when nothing is due. */
  step(): boolean;
  /** When the next task is due, in virtual milliseconds. */
  nextMs(): number | undefined;
  /** Tasks that wait; a stopped fleet leaves none. */
  readonly pending: number;
}

type Task = { readonly atMs: number; readonly order: number; run: (() => void) | undefined };

export function simulatedClock(wallStartMs: number): SimulatedClock {
  let nowMs = 0;
  let order = 0;
  let waiting = 0;
  const heap: Task[] = [];

  function next(): Task | undefined {
    while (heap[0] !== undefined && heap[0].run === undefined) popTask(heap);
    return heap[0];
  }

  return {
    wallMs: () => wallStartMs + Math.floor(nowMs),
    monotonicMs: () => nowMs,
    after(delayMs, run) {
      const task: Task = { atMs: nowMs + Math.max(0, delayMs), order: order++, run };
      waiting++;
      pushTask(heap, task);
      return {
        stop() {
          if (task.run !== undefined) waiting--;
          task.run = undefined;
        },
      };
    },
    step() {
      const task = next();
      const run = task?.run;
      if (task === undefined || run === undefined) return false;
      popTask(heap);
      task.run = undefined;
      waiting--;
      nowMs = task.atMs;
      run();
      return true;
    },
    nextMs: () => next()?.atMs,
    get pending() {
      return waiting;
    },
  };
}

/** By time, then by the order in which they were asked for: equal times must not depend on the heap's shape. */
function before(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function pushTask(heap: Task[], task: Task): void {
  let child = heap.push(task) - 1;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || !before(task, above)) break;
    heap[child] = above;
    child = parent;
  }
  heap[child] = task;
}

function popTask(heap: Task[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let parent = 0;
  for (;;) {
    let child = 2 * parent + 1;
    let below = heap[child];
    if (below === undefined) break;
    const right = heap[child + 1];
    if (right !== undefined && before(right, below)) {
      child++;
      below = right;
    }
    if (!before(below, last)) break;
    heap[parent] = below;
    parent = child;
  }
  heap[parent] = last;
}
