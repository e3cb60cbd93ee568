/**
 * ZRE version 2 messages as values (RFC 36, and libzyre where the two differ). `sequence` is the sender's counter
 * for this link: HELLO is 1, every message adds 1, 0xffff is followed by 0.
 */
export type ZreMessage = Hello | Whisper | Shout | Join | Leave | Ping | PingOk | Elect | Leader | Goodbye;

export type Hello = {
  readonly kind: 'hello';
  readonly sequence: number;
  /** Where the sender's mailbox listens, e.g. `tcp://127.0.0.1:36231`. */
  readonly endpoint: string;
  readonly groups: readonly string[];
  /** The sender's group status after all joins so far, modulo 256. */
  readonly status: number;
  readonly name: string;
  /** Keys of 1 to 255 bytes. A repeated key keeps its first value, as in libzyre. */
  readonly headers: ReadonlyMap<string, string>;
};

/** `content` has one frame or more: libzyre glues a message without content to the next one. */
export type Whisper = {
  readonly kind: 'whisper';
  readonly sequence: number;
  readonly content: readonly Uint8Array[];
};
export type Shout = {
  readonly kind: 'shout';
  readonly sequence: number;
  readonly group: string;
  readonly content: readonly Uint8Array[];
};
export type Join = {
  readonly kind: 'join';
  readonly sequence: number;
  readonly group: string;
  readonly status: number;
};
export type Leave = {
  readonly kind: 'leave';
  readonly sequence: number;
  readonly group: string;
  readonly status: number;
};
export type Ping = { readonly kind: 'ping'; readonly sequence: number };
export type PingOk = { readonly kind: 'ping-ok'; readonly sequence: number };
/** libzyre only: a node in a contested group proposes a leader. */
export type Elect = {
  readonly kind: 'elect';
  readonly sequence: number;
  readonly group: string;
  readonly challengerId: string;
};
export type Leader = {
  readonly kind: 'leader';
  readonly sequence: number;
  readonly group: string;
  readonly leaderId: string;
};
/** libzyre in gossip mode says it as its last message. */
export type Goodbye = { readonly kind: 'goodbye'; readonly sequence: number };
