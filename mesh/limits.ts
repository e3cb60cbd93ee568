/** Caps on everything that a stranger can make us hold. Unit ends the name; the source of each value stands beside it. */
export type MeshLimits = {
  /** ZRE frame 1: the longest HELLO that we take. libzyre sends names and endpoints up to 255 bytes each. */
  readonly controlFrameBytesMax: number;
  /** One content frame of a WHISPER or SHOUT. */
  readonly contentFrameBytesMax: number;
  /** Frames of one message; a 200,000-part message stalls libzmq for 1.7 s. */
  readonly framesMax: number;
  readonly groupsMax: number;
  readonly headersMax: number;
  readonly headerValueBytesMax: number;
  /** Peers known at once; above it newcomers are refused and counted. */
  readonly peersMax: number;
  readonly outboxMessagesMax: number;
  readonly outboxBytesMax: number;
  /** Whispers, shouts and notices that wait for one reader of `mesh.events()`. */
  readonly eventQueueMessagesMax: number;
  readonly eventQueueBytesMax: number;
  /** zgossip: a value above about 1,020 bytes overflows czmq's stack. */
  readonly gossipValueBytesMax: number;
  readonly gossipTuplesMax: number;
};

export const defaultLimits: MeshLimits = {
  controlFrameBytesMax: 256 * 1024,
  contentFrameBytesMax: 1024 * 1024,
  framesMax: 64,
  groupsMax: 1_000,
  headersMax: 100,
  headerValueBytesMax: 4_096,
  peersMax: 256,
  outboxMessagesMax: 10_000,
  outboxBytesMax: 64 * 1024 * 1024,
  eventQueueMessagesMax: 10_000,
  eventQueueBytesMax: 64 * 1024 * 1024,
  gossipValueBytesMax: 1_000,
  gossipTuplesMax: 2_000,
};
