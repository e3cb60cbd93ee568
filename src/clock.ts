/** Time, handed in. The mesh's clock fits this; so does a fixed one in a test. */
export interface Clock {
  /** Unix time in milliseconds. */
  wallMs(): number;
}
