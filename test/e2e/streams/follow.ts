/** A message of the stream, whichever way it came. */
export type StreamEvent = {
  readonly id: string;
  readonly type: string;
  readonly cursor: string;
  readonly data: Readonly<Record<string, unknown>>;
};

export type FollowOptions = {
  /** Of the node. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** From now on without one. */
  readonly cursor: string | undefined;
  readonly hear: (event: StreamEvent) => void;
  /** Told of a place to come back to when nothing was heard yet. */
  readonly placed: (cursor: string) => void;
  readonly signal: AbortSignal;
};

/** Resolves or rejects when the node's stream ends, for whatever reason, or once `signal` aborts. */
export type Follow = (options: FollowOptions) => Promise<void>;
