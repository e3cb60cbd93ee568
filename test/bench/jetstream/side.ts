/** What became of a message: the wish was met, or it was answered without that. */
export type Answer = 'acknowledged' | 'unmet';

/** A JSON array of indicators, or one alone; or each followed by a line break. */
export type Framing = 'array' | 'lines';

/** One client at one server of three. It asks again, elsewhere where need be, until the message is answered. */
export type Publisher = AsyncDisposable & {
  readonly framing: Framing;
  /** `body` holds indicators in the framing that it wants. */
  publish(body: Buffer, answered: (answer: Answer) => void): void;
};

/** A process that hears what another server than the publisher's gives out. */
export type Subscriber = AsyncDisposable & {
  readonly pid: number;
  /** How many different indicators it has heard so far. */
  heard(): Promise<number>;
  /** Resolves with the time (on `nowMs`) when it had `count` of them, or undefined when it never did. */
  heardAll(count: number): Promise<number | undefined>;
};

/** Three servers, of which the first is the one that is written to, the second has the subscriber. */
export type Side = AsyncDisposable & {
  readonly pids: readonly number[];
  subscribe(): Promise<Subscriber>;
  publisher(): Promise<Publisher>;
  /** The same with a request for each message, where that is another way. */
  requestPublisher?(): Promise<Publisher>;
  /** kill -9. */
  kill(server: number): Promise<unknown>;
};

/** The one clock that all processes of a machine share, in ms. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
