/** Requests that all webhooks of this node may have under way together. */
export type Slots = {
  free(): number;
  /** Takes one; the answer gives it back. */
  take(): () => void;
};

/** `released` is told when one is free again. */
export function createSlots(max: number, released: () => void): Slots {
  let used = 0;
  return {
    free: () => max - used,
    take() {
      used++;
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        used--;
        released();
      };
    },
  };
}
