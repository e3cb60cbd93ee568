import type { Clock } from '../clock.ts';
import type { PeerId } from '../ids.ts';
import type { MeshLimits } from '../limits.ts';
import type { Random } from '../random.ts';
import type { CurvePair } from '../security/curve.ts';
import type { Datagrams, HandshakeRefusal, Transport } from '../transport/transport.ts';

/** Where a mailbox listens, and the public key of its socket (Z85); undefined on a mesh in clear. */
export type Address = { readonly endpoint: string; readonly publicKey: string | undefined };

/** Somebody says that a peer listens at an endpoint. A hint: only a HELLO makes a peer. */
export type Sighting = {
  readonly source: string;
  readonly id: PeerId;
  readonly endpoint: string;
  readonly publicKey: string | undefined;
  /** How long the hint is worth something, unless it is given again. */
  readonly leaseMs: number;
};

/** A way of finding peers. Several run side by side; what they find is merged in sightings.ts. */
export interface Discovery {
  readonly source: string;
  start(context: DiscoveryContext): Promise<RunningDiscovery>;
}

export type DiscoveryContext = {
  /**
   * What we announce of ourselves. There are two addresses while keys rotate: the first has the current key, the last one the
   * previous key. Who can announce one only announces the last: whoever has both keys dials either.
   */
  readonly self: { readonly id: PeerId; readonly addresses: readonly [Address, ...Address[]] };
  /** The mesh's keys, the current one first; none on a mesh in clear. */
  readonly keys: readonly CurvePair[];
  readonly onSighting: (sighting: Sighting) => void;
  /** Whether a peer's mailbox talks to ours: it was heard in the last seconds. */
  readonly isHeard: (id: PeerId) => boolean;
  /** Strangers' bytes that were dropped, by reason. */
  readonly onRefused: (reason: string) => void;
  /** Somebody dialled a socket of ours and did not get in. */
  readonly onStranger: (reason: HandshakeRefusal) => void;
  /** Somebody whom we were told to dial does not let us in. */
  readonly onTurnedAway: (endpoint: string) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: MeshLimits;
  readonly transport: Transport;
  readonly datagrams: Datagrams;
};

export interface RunningDiscovery {
  /** Where it listens, for people and for seeds; absent when it has no address of its own. */
  readonly endpoint?: string;
  /** Says goodbye and stops. Stopping twice is safe. */
  stop(): Promise<void>;
}
