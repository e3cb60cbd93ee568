/** When things end, the earliest first. A thing may be added more than once; whoever takes it asks whether it is still so. */
export type Expiries<T> = {
  add(atMs: number, thing: T): void;
  /** Removes and returns one whose time has come; undefined when none has. */
  takeDue(nowMs: number): T | undefined;
  size(): number;
};

/** A binary heap. */
export function createExpiries<T>(): Expiries<T> {
  const heap: { readonly atMs: number; readonly thing: T }[] = [];

  function timeAt(at: number): number {
    return heap[at]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  function swap(a: number, b: number): void {
    const [first, second] = [heap[a], heap[b]];
    if (first === undefined || second === undefined) return;
    heap[a] = second;
    heap[b] = first;
  }

  return {
    add(atMs, thing) {
      heap.push({ atMs, thing });
      let at = heap.length - 1;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (timeAt(parent) <= timeAt(at)) return;
        swap(parent, at);
        at = parent;
      }
    },
    takeDue(nowMs) {
      if (timeAt(0) > nowMs) return undefined;
      swap(0, heap.length - 1);
      const due = heap.pop();
      for (let at = 0; ; ) {
        const left = 2 * at + 1;
        const child = timeAt(left + 1) < timeAt(left) ? left + 1 : left;
        if (timeAt(child) >= timeAt(at)) return due?.thing;
        swap(at, child);
        at = child;
      }
    },
    size: () => heap.length,
  };
}
