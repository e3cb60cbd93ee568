/** Time, handed in. The mesh's clock fits this; so does a simulated one. */
export interface Clock {
  /** Unix time in milliseconds. */
  wallMs(): number;
  /** Runs `task` once after `delayMs`. */
  after(delayMs: number, task: () => void): { stop(): void };
}
