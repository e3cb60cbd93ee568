import type { Readable } from 'node:stream';

import type { Config } from '../config/settings.ts';

/** Standard output or standard error. */
export type Output = {
  /** Resolves when the system took it; rejects with EPIPE when the reader is gone. */
  write(text: string | Uint8Array): Promise<void>;
  readonly isTTY: boolean;
  /** Width of the terminal in cells; undefined when it is none. */
  readonly columns: number | undefined;
};

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** What `tocsin start` says about the node that it started, and how it stops it. */
export type StartedNode = {
  readonly id: string;
  readonly name: string;
  readonly dataDirectory: string;
  readonly httpUrl: string;
  readonly streamEndpoint: string;
  /** Where sensors send to by ZeroMQ, if they may. */
  readonly pullEndpoint?: string;
  /** Whether ZeroMQ asks for the stream key. */
  readonly streamLocked?: true;
  readonly meshEndpoint: string;
  readonly gossipEndpoint?: string;
  /** A sentence. */
  readonly discovery: string;
  /** A sentence: who gets into the mesh. */
  readonly security: string;
  /** Only the first time: the node keeps nothing but its hash. */
  readonly adminToken?: string;
  readonly warnings: readonly string[];
  /** Settles when the node has caught up with the mesh. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
};

/** Everything outside that the command touches, apart from files and the node's HTTP. */
export type Io = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly nowMs: () => number;
  /** Runs `task` once after `delayMs`. */
  after(delayMs: number, task: () => void): { stop(): void };
  /** From 0 to 1. */
  random(): number;
  /** Returns what takes the listener away again. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
  /** Whether a process with this id lives on this machine. */
  isAlive(pid: number): boolean;
  /** The CURVE pair of a key of 32 bytes, in Z85. */
  curvePairOf(key: Uint8Array): Promise<{ readonly publicKey: string; readonly secretKey: string }>;
  startNode(config: Config, logLevel: Config['logLevel']): Promise<StartedNode>;
};
