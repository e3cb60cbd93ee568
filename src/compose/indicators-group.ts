import type { Mesh, MeshEvent, PeerId } from 'tocsin/mesh';
import type { Clock } from '../clock.ts';
import { createHeard, type Stranger } from '../doors/heard.ts';
import { createShouts } from '../doors/shouts.ts';
import { createTally, type Warn } from '../doors/tally.ts';
import type { NodeId } from '../event/types.ts';
import { isAllowlistEntry } from '../indicator/allowlist-tags.ts';
import { presentRecord } from '../indicator/present.ts';
import type { IndicatorRecord, Tlp } from '../indicator/types.ts';
import type { Intake } from '../intake/intake.ts';
import type { Change, IndicatorStore } from '../store/store.ts';
import { tocsinHeader } from './mesh-view.ts';
import { nodeIdOf, ownerOf } from './owner.ts';

/** Where peers that are no nodes tell indicators, and are told. */
const group = 'INDICATORS';
/** What may be told to whoever is let into the mesh. */
const tlpsForAll: ReadonlySet<Tlp> = new Set(['clear', 'green', 'amber']);
const groupForAll = 'everyone';

export type IndicatorsGroupParts = {
  readonly mesh: Mesh;
  readonly store: IndicatorStore;
  readonly intake: Intake;
  readonly self: NodeId;
  readonly clock: Clock;
  readonly warn: Warn;
};

/**
 * Joins the group, in which foreign Zyre peers get what this node is the first to say, and are heard. A peer is foreign when its
 * HELLO has no X-TOCSIN header; nodes know all by replication and are told nothing.
 */
export function openIndicatorsGroup({ mesh, store, intake, self, clock, warn }: IndicatorsGroupParts) {
  const strangers = new Map<PeerId, Stranger>();
  const tally = createTally(clock, warn, 'what a foreign peer said was refused');
  const heard = createHeard({ intake, store, clock, tally, placeOf });
  const shouts = createShouts<PeerId>({
    shoutTo: (peer, content) => mesh.shout(group, content, { to: (id) => id === peer }) === 1,
    queuedMessages: (peer) => mesh.peer(peer)?.queuedMessages ?? 0,
    clock,
    count: tally.count,
  });

  function placeOf(key: string): number {
    const others = mesh.peersIn(group).filter((id) => !strangers.has(id));
    const line = new Set([self, ...others.map(nodeIdOf)]);
    for (let place = 0; ; place++) {
      const owner = ownerOf(key, line);
      if (owner === self || owner === undefined) return place;
      line.delete(owner);
    }
  }

  function onEvent(event: MeshEvent): void {
    switch (event.kind) {
      case 'peer-entered': {
        const { id, name, headers } = event.peer;
        if (!headers.has(tocsinHeader)) strangers.set(id, { id, name });
        break;
      }
      case 'peer-exited':
        strangers.delete(event.id);
        shouts.left(event.id);
        break;
      case 'peer-joined':
        if (event.group === group && strangers.has(event.id)) shouts.joined(event.id);
        break;
      case 'peer-left':
        if (event.group === group) shouts.left(event.id);
        break;
      case 'whisper': {
        const stranger = strangers.get(event.from);
        if (stranger !== undefined) heard.whisper(stranger, event.content);
        break;
      }
      case 'shout': {
        const stranger = event.group === group ? strangers.get(event.from) : undefined;
        if (stranger !== undefined) heard.shout(stranger, event.content);
        break;
      }
      default:
    }
  }

  function tell(change: Change): void {
    if (!('outcome' in change) || change.outcome !== 'created') return;
    const { event, record } = change;
    if (event.kind !== 'observe' || event.origin !== self || !isForAll(record)) return;
    shouts.tell(() => Buffer.from(JSON.stringify(presentRecord(record))));
  }

  mesh.join(group);
  const ends = [
    mesh.subscribe(onEvent),
    store.onCommitted(({ changes }) => {
      for (const change of changes) tell(change);
    }),
  ];

  return {
    counters: tally.counters,
    /** Leaves the group, so that others take what would have been this node's; resolves once what it took is stored. */
    async stop(): Promise<void> {
      for (const end of ends) end();
      mesh.leave(group);
      shouts.stop();
      await heard.stop();
    },
  };
}

/** An entry of the allowlist is no indicator of a threat: whoever knows no allowlist would take it for one. */
function isForAll(record: IndicatorRecord): boolean {
  return tlpsForAll.has(record.tlp) && record.group === groupForAll && !isAllowlistEntry(record);
}
