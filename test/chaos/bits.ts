/** A growing set of whole numbers from 0, one bit each: a run has millions of them, and keeps several such sets. */
export type Bits = {
  /** False when it was in already. */
  add(n: number): boolean;
  has(n: number): boolean;
  readonly size: number;
};

export function createBits(): Bits {
  let bytes = new Uint8Array(1_024);
  let size = 0;
  return {
    add(n) {
      const at = n >>> 3;
      if (at >= bytes.length) {
        const larger = new Uint8Array(Math.max(at + 1, bytes.length * 2));
        larger.set(bytes);
        bytes = larger;
      }
      const [byte, mask] = [bytes[at] ?? 0, 1 << (n & 7)];
      if ((byte & mask) !== 0) return false;
      bytes[at] = byte | mask;
      size += 1;
      return true;
    },
    has: (n) => ((bytes[n >>> 3] ?? 0) & (1 << (n & 7))) !== 0,
    get size() {
      return size;
    },
  };
}

/** Indicator `n` of a run, as canonical form has it. Each is written once, so that a count above 1 is an event applied twice. */
export function indicatorOf(n: number, run: string): string {
  return `http://h${n}.example.com/${run}`;
}

/** The number of an indicator, or undefined when it is none of ours. */
export function numberOf(indicator: unknown): number | undefined {
  const digits =
    typeof indicator === 'string' ? /^http:\/\/h(\d{1,9})\.example\.com\//.exec(indicator)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}
