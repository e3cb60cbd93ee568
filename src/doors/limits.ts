/** What comes in by ZeroMQ, from sensors and from foreign peers. */
export const doorLimits = {
  /** One message of a sensor; also what a frame of the mesh may have. */
  messageBytesMax: 1024 * 1024,
  /** Of one door: rows that are on their way into the store. Intake's own queue is for all doors together. */
  rowsInFlightMax: 10_000,
  /** Messages of sensors that are read and not stored yet; above either the connections are read no further. */
  heldBytesMax: 4 * 1024 * 1024,
  heldMessagesMax: 10_000,
  /** How soon a full intake is asked again. */
  busyMs: 20,
  /** Sensors at once; each costs two connections. */
  connectionsMax: 256,
  /** A sensor that connects and says nothing. */
  handshakeMsMax: 5_000,
  /** What the socket is given to take what has come, when the door closes. */
  closeMsMax: 2_000,
  /** How often the log says again why rows are refused. */
  warnEveryMs: 60_000,
} as const;

/** The group in which foreign peers and nodes tell each other indicators. */
export const groupLimits = {
  /** Newest indicators that wait for peers which take them slowly; a peer that is further behind misses some. */
  waitingMax: 20_000,
  waitingBytesMax: 16 * 1024 * 1024,
  /** What may be in the outbox of a peer before it is given more, and how much it is given then. */
  outboxMessagesMax: 1_000,
  shoutsPerTurn: 200,
  /** How soon a peer with a full outbox is looked at again. */
  outboxCheckMs: 20,
  /** The node next in line after the owner waits so long before it takes what the owner did not, the one after it twice so long. */
  takeOverAfterMs: 3_000,
  /** What the owner stored is dated by its own clock. */
  clockSkewMsMax: 5_000,
  /** What others own and is not stored yet, as far as is known here. */
  watchedMax: 1_000,
  watchedBytesMax: 8 * 1024 * 1024,
  /** Of shouts and whispers, on their way into the store; what comes above it is dropped. */
  rowsInFlightMax: 20_000,
} as const;
