import type { Tickets } from '../access/tickets.ts';
import type { Access } from '../access/tokens.ts';
import type { Clock } from '../clock.ts';
import type { Feeds } from '../feed/feeds.ts';
import type { Intake } from '../intake/intake.ts';
import type { Searched } from '../intake/searched.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { Readers } from '../stream/readers.ts';
import type { StreamLog } from '../stream/stream-log.ts';
import type { WebhookDesk } from '../webhook/desk.ts';
import type { MeshEventRow, PeerRow } from './mesh-rows.ts';

/** This node, for `GET /mesh`. */
export type NodeView = {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** Whether the mesh has a key. */
  readonly encrypted: boolean;
  readonly endpoints: {
    readonly mesh: string;
    readonly gossip?: string;
    readonly stream: string;
    readonly pull?: string;
  };
  /** Strangers' bytes and overflows that were dropped, by reason. */
  readonly counters: Readonly<Record<string, number>>;
};

export type Readiness = {
  readonly ready: boolean;
  readonly reason: string;
  readonly peers: number;
  readonly missing: number;
  /** How far the peers' clocks are ahead of this node's. */
  readonly clockOffsetMs?: number;
  readonly snapshot?: Progress;
};

/** Records of a snapshot that have come, of how many. */
type Progress = { readonly records: number; readonly total: number };

export function progressOf(snapshot: Progress | undefined): Record<string, Progress> {
  return snapshot === undefined ? {} : { snapshot: { ...snapshot } };
}

/** This node in numbers, for `GET /metrics`. */
export type MetricsView = { readonly contentType: string; text(): Promise<string> };

export interface MeshView {
  self(): NodeView;
  peers(): readonly PeerRow[];
  /** What happens in the mesh, beginning with the peers that are here; ends when the signal aborts, or the mesh stops. */
  events(signal: AbortSignal): AsyncIterator<MeshEventRow>;
  readiness(): Readiness;
}

/** All that the facade is handed. */
export type FacadeParts = {
  readonly intake: Intake;
  readonly searched: Searched;
  readonly store: IndicatorStore;
  readonly feeds: Feeds;
  readonly streamLog: StreamLog;
  readonly readers: Readers;
  readonly access: Access;
  readonly webhooks: WebhookDesk;
  readonly tickets: Tickets;
  readonly mesh: MeshView;
  readonly metrics: MetricsView;
  readonly clock: Clock;
  readonly version: string;
  /** Told of every error that is our fault, with the request's id. */
  readonly onError: (error: unknown, requestId: string) => void;
};
