import type { Address, CurvePair } from 'tocsin/mesh';

/** Either what we measure or what we measure it by: the same frames through the same kind of sockets. */
export interface Side {
  receive(options: ReceiveOptions): Promise<Receiver>;
  send(options: SendOptions): Promise<Sender>;
}

export type ReceiveOptions = {
  readonly pair: CurvePair | undefined;
  readonly onContent: (content: Uint8Array) => void;
};

export type Receiver = { readonly id: string; readonly address: Address };

export type SendOptions = {
  readonly pair: CurvePair | undefined;
  readonly receivers: readonly Receiver[];
};

export interface Sender {
  /** Sends `content` to every receiver `count` times, as fast as they take it. */
  send(content: Uint8Array, count: number): Promise<void>;
}

export const group = 'CHAT';
