import type { MeshEvent, PeerInfo } from './events.ts';
import type { PeerId } from './ids.ts';
import type { MeshLimits } from './limits.ts';
import { byteLengthOf } from './transport/transport.ts';

/** What a reader that is too slow is told in place of what it lost. */
export type InboxFull = { readonly kind: 'inbox-full'; readonly droppedEvents: number };

/** What iterating over a mesh gives. */
export type QueuedEvent = MeshEvent | InboxFull;

/** Membership of peers and groups: these are never dropped. */
type Control = Extract<MeshEvent, { kind: 'peer-entered' | 'peer-exited' | 'peer-joined' | 'peer-left' }>;

/**
 * The events that one reader has not taken yet, in order and bounded.
 *
 * Whispers, shouts and notices are bounded by number and bytes: what does not fit is dropped, and counted in an `inbox-full`
 * that stands where the first of them would have stood. Who is here and in which group is never lost, else the reader's view
 * would be wrong for ever: when many such events wait, those that cancel out (a peer that entered and exited, a group that was
 * joined and left) go together, so that what waits is never more than the way from what the reader knows to what is so now.
 */
export interface EventQueue {
  push(event: MeshEvent): void;
  take(): QueuedEvent | undefined;
  clear(): void;
}

/** Taken entries are cut off once there are this many, so that taking one costs the same however many wait. */
const cutAt = 1_024;

export function createEventQueue(limits: MeshLimits): EventQueue {
  let waiting: QueuedEvent[] = [];
  let taken = 0;
  let droppable = 0;
  let droppableBytes = 0;
  let controls = 0;
  let collapseAt = limits.eventQueueMessagesMax;
  /** The peer whose entry was taken last, and its groups whose joins wait still. */
  let arriving: Arrival | undefined;
  /** Where the `inbox-full` that is not taken yet stands. */
  let full: { droppedEvents: number } | undefined;

  function drop(count: number): void {
    if (full === undefined) {
      const told = { kind: 'inbox-full' as const, droppedEvents: 0 };
      waiting.push(told);
      full = told;
    }
    full.droppedEvents += count;
  }

  function collapse(): void {
    const { kept, dropped } = withoutCancelled(waiting.slice(taken), arriving);
    waiting = kept;
    taken = 0;
    droppable = 0;
    droppableBytes = 0;
    controls = 0;
    for (const event of kept) {
      if (isControl(event)) controls++;
      else if (event.kind !== 'inbox-full') {
        droppable++;
        droppableBytes += bytesOf(event);
      }
    }
    if (dropped > 0) drop(dropped);
    // Twice what cannot be cancelled, so that a collapse is paid for by as many events.
    collapseAt = Math.max(limits.eventQueueMessagesMax, 2 * controls);
  }

  return {
    push(event) {
      if (isControl(event)) {
        waiting.push(event);
        controls++;
        if (controls > collapseAt) collapse();
        return;
      }
      const bytes = bytesOf(event);
      if (droppable >= limits.eventQueueMessagesMax || droppableBytes + bytes > limits.eventQueueBytesMax) {
        drop(1);
        return;
      }
      waiting.push(event);
      droppable++;
      droppableBytes += bytes;
    },
    take() {
      const event = waiting[taken];
      if (event === undefined) return undefined;
      taken++;
      if (taken >= cutAt && taken * 2 >= waiting.length) {
        waiting = waiting.slice(taken);
        taken = 0;
      }
      if (event.kind === 'peer-entered') arriving = arrivalOf(event.peer);
      else if (event.kind === 'peer-joined' && event.id === arriving?.id) arriving.groups.delete(event.group);
      if (event.kind === 'inbox-full') full = undefined;
      else if (isControl(event)) controls--;
      else {
        droppable--;
        droppableBytes -= bytesOf(event);
      }
      return event;
    },
    clear() {
      waiting = [];
      taken = 0;
      full = undefined;
      droppable = 0;
      droppableBytes = 0;
      controls = 0;
    },
  };
}

function isControl(event: QueuedEvent): event is Control {
  switch (event.kind) {
    case 'peer-entered':
    case 'peer-exited':
    case 'peer-joined':
    case 'peer-left':
      return true;
    default:
      return false;
  }
}

function bytesOf(event: QueuedEvent): number {
  return event.kind === 'whisper' || event.kind === 'shout' ? byteLengthOf(event.content) : 0;
}

/** The groups that `peer-entered` names, and that a `peer-joined` each repeats. Those joins cancel nothing out. */
type Arrival = { readonly id: PeerId; readonly groups: Set<string> };

function arrivalOf({ id, groups }: PeerInfo): Arrival {
  return { id, groups: new Set(groups) };
}

/**
 * Without the visits that began and ended in here, with all that came of those peers in between, and without the joins and
 * leaves of a group that end where they began. `dropped` counts the whispers, shouts and notices among them.
 */
function withoutCancelled(
  events: readonly QueuedEvent[],
  arriving: Arrival | undefined,
): { readonly kept: QueuedEvent[]; readonly dropped: number } {
  const gone = new Set<number>();
  /** By peer whose entry waits here too, where all that came of it since stands. */
  const visits = new Map<PeerId, number[]>();
  const arrivals = new Map<PeerId, Set<string>>();
  if (arriving) arrivals.set(arriving.id, new Set(arriving.groups));
  /** By peer, then group, where it joined or left last. */
  const moves = new Map<PeerId, Map<string, number>>();
  events.forEach((event, at) => {
    const id = peerOf(event);
    if (id === undefined) return;
    if (event.kind === 'peer-entered') {
      visits.set(id, [at]);
      arrivals.set(id, arrivalOf(event.peer).groups);
      moves.delete(id);
      return;
    }
    const visit = visits.get(id);
    visit?.push(at);
    if (event.kind === 'peer-exited') {
      for (const index of visit ?? []) gone.add(index);
      visits.delete(id);
      arrivals.delete(id);
      moves.delete(id);
    } else if (event.kind === 'peer-joined' || event.kind === 'peer-left') {
      if (event.kind === 'peer-joined' && arrivals.get(id)?.delete(event.group)) return;
      const groups = moves.get(id) ?? new Map<string, number>();
      const before = groups.get(event.group);
      if (before === undefined) moves.set(id, groups.set(event.group, at));
      else {
        gone.add(before).add(at);
        groups.delete(event.group);
      }
    }
  });
  const kept = events.filter((_, at) => !gone.has(at));
  const dropped = events.filter((event, at) => gone.has(at) && !isControl(event)).length;
  return { kept, dropped };
}

function peerOf(event: QueuedEvent): PeerId | undefined {
  if (event.kind === 'peer-entered') return event.peer.id;
  if ('from' in event) return event.from;
  return 'id' in event ? event.id : undefined;
}
