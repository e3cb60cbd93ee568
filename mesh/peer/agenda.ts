/**
 * Who is to be looked at when. A table of hundreds of peers must not look at each of them every second: a peer that was heard
 * is next looked at when it may have fallen silent.
 */
export interface Agenda<T> {
  /** Looks at `item` at `atMs` or soon after. An earlier look that was asked for stays; a later one is dropped. */
  look(item: T, atMs: number): void;
  /** Whoever's time has come. A time that is not later than now is next asked for at the next call. */
  due(nowMs: number): readonly T[];
  forget(item: T): void;
}

/** `everyMs`: how often `due` is asked. */
export function createAgenda<T>(everyMs: number): Agenda<T> {
  const slots = new Map<number, T[]>();
  const slotOf = new Map<T, number>();
  let past = Number.NEGATIVE_INFINITY;

  /** One slot as a rule; after a pause rather all that there are than all that time went through. */
  function slotsUntil(now: number): readonly number[] {
    if (now - past === 1) return [now];
    return [...slots.keys()].filter((slot) => slot <= now).sort((a, b) => a - b);
  }

  return {
    look(item, atMs) {
      const slot = Math.max(Math.ceil(atMs / everyMs), past + 1);
      const held = slotOf.get(item);
      if (held !== undefined && held <= slot) return;
      slotOf.set(item, slot);
      const items = slots.get(slot);
      if (items === undefined) slots.set(slot, [item]);
      else items.push(item);
    },
    due(nowMs) {
      const now = Math.floor(nowMs / everyMs);
      const found: T[] = [];
      for (const slot of slotsUntil(now)) {
        const items = slots.get(slot) ?? [];
        slots.delete(slot);
        for (const item of items) {
          // It may have been forgotten, or asked for again at an earlier time.
          if (slotOf.get(item) !== slot) continue;
          slotOf.delete(item);
          found.push(item);
        }
      }
      past = now;
      return found;
    },
    forget(item) {
      slotOf.delete(item);
    },
  };
}
