import type { CurvePair } from '../security/curve.ts';
import type { Names } from './names.ts';

/**
 * The door to sockets. Two users: ZeroMQ (zeromq.ts) and the simulated network (simulated.ts).
 *
 * A listener is a ROUTER: many dialers send to it, each known by its routing id. A link is a DEALER: one dialer,
 * one listener, messages in order while the connection lives. A message is one or more frames.
 */
export type Frames = readonly Uint8Array[];

export function byteLengthOf(frames: Frames): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.byteLength;
  return bytes;
}

export interface Transport {
  /**
   * Listens at `endpoint` (`tcp://127.0.0.1:*` lets the system choose the port). Rejects with MeshError BIND_FAILED.
   */
  listen(endpoint: string, options: ListenOptions): Promise<Listener>;
  /**
   * Dials `endpoint` and keeps redialling until closed. Sending works at once: messages wait for the connection. Throws
   * MeshError NO_DESCRIPTORS for a mailbox when the process is about to run out of file descriptors, and an error for what is
   * no address at all.
   */
  dial(endpoint: string, options: DialOptions): Link;
  /** Hosts of endpoints by name. */
  readonly names: Names;
}

/** Why a connection ended before its first message. */
export type HandshakeRefusal =
  /** It has another key. */
  | 'wrong-key'
  /** It offered no encryption, where we demand it, or the other way round. */
  | 'no-key'
  /** It does not speak ZMTP as we do. */
  | 'bad-handshake';

export interface ListenOptions {
  /** With a pair only dialers with the same one get in, and all is encrypted (CURVE). */
  readonly pair?: CurvePair | undefined;
  /** A dialer was turned away. */
  readonly onRefused?: (reason: HandshakeRefusal) => void;
  /** A reply found its dialer gone, or too slow to take it. */
  readonly onUnreachable?: (to: Uint8Array) => void;
  /** A longer frame ends the connection that sent it. */
  readonly frameBytesMax: number;
}

export interface Listener {
  /** The bound endpoint with its real port. */
  readonly endpoint: string;
  /**
   * Begins to receive; called once. Dialers of an address that was in use before connect at once: until then what they send
   * waits, as whoever listens may not be ready for it.
   */
  receive(onMessage: (from: Uint8Array, frames: Frames) => void): void;
  /** Sends back to one dialer, best effort. */
  reply(to: Uint8Array, frames: Frames): void;
  close(): Promise<void>;
}

export interface DialOptions {
  /** The listener's pair, which is ours as well. */
  readonly pair?: CurvePair | undefined;
  /** The listener has another key, or none, or wants one. Called again for every try. */
  readonly onRefused?: () => void;
  /** The routing id that the listener sees; the transport makes one when absent. */
  readonly routingId?: Uint8Array;
  readonly onMessage?: (frames: Frames) => void;
  /** The connection stands; called again after every redial. */
  readonly onConnected?: () => void;
  readonly onDisconnected?: () => void;
  /** What the link queues before `send` answers false. */
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
}

export interface Link {
  readonly endpoint: string;
  /** What waits to be written. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** False when the queue is full: the message was not taken. */
  send(frames: Frames): boolean;
  /** Closes once what is queued has been written, or after `lingerMs` (0: at once). Closing twice is safe. */
  close(lingerMs: number): Promise<void>;
}

/** The door to UDP, for beacons and multicast DNS. */
export interface Datagrams {
  /** Rejects with MeshError BIND_FAILED. */
  open(options: DatagramOptions): Promise<DatagramSocket>;
}

export interface DatagramOptions {
  readonly port: number;
  /** Joins a group on one interface instead of taking in broadcasts. */
  readonly multicast?: { readonly group: string; readonly interfaceAddress: string };
  readonly onDatagram: (bytes: Uint8Array, sourceAddress: string) => void;
}

export interface DatagramSocket {
  /** Best effort, as UDP is. */
  send(bytes: Uint8Array, toAddress: string): void;
  close(): Promise<void>;
}
