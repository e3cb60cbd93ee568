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
