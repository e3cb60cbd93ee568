import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEventQueue, type EventQueue, type QueuedEvent } from '../../../mesh/event-queue.ts';
import type { MeshEvent } from '../../../mesh/events.ts';
import { type PeerId, peerIdFromBytes } from '../../../mesh/ids.ts';
import { defaultLimits } from '../../../mesh/limits.ts';

function idOf(n: number): PeerId {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(n);
  return peerIdFromBytes(bytes);
}

function entered(n: number, groups: readonly string[] = []): MeshEvent {
  return {
    kind: 'peer-entered',
    peer: { id: idOf(n), name: `peer-${n}`, endpoint: `tcp://127.0.0.1:${n}`, headers: new Map(), groups },
  };
}
const exited = (n: number): MeshEvent => ({
  kind: 'peer-exited',
  id: idOf(n),
  name: `peer-${n}`,
  reason: 'expired',
});
const joined = (n: number, group: string): MeshEvent => ({ kind: 'peer-joined', id: idOf(n), group });
const left = (n: number, group: string): MeshEvent => ({ kind: 'peer-left', id: idOf(n), group });
const whisper = (n: number, text = 'hi'): MeshEvent => ({
  kind: 'whisper',
  from: idOf(n),
  content: [Buffer.from(text)],
});

function queueOf(messagesMax: number, bytesMax = 1_000_000): EventQueue {
  return createEventQueue({
    ...defaultLimits,
    eventQueueMessagesMax: messagesMax,
    eventQueueBytesMax: bytesMax,
  });
}

function drain(queue: EventQueue): readonly QueuedEvent[] {
  const events: QueuedEvent[] = [];
  for (let event = queue.take(); event !== undefined; event = queue.take()) events.push(event);
  return events;
}

/** Who is here and in which groups, as a reader of the events comes to see it. */
function createView() {
  const groupsOf = new Map<string, Set<string>>();
  return {
    groupsOf,
    read(event: QueuedEvent) {
      switch (event.kind) {
        case 'peer-entered':
          expect(groupsOf.has(event.peer.id)).toBe(false);
          groupsOf.set(event.peer.id, new Set(event.peer.groups));
          break;
        case 'peer-exited':
          expect(groupsOf.delete(event.id)).toBe(true);
          break;
        case 'peer-joined':
          groupsOf.get(event.id)?.add(event.group);
          break;
        case 'peer-left':
          expect(groupsOf.get(event.id)?.delete(event.group)).toBe(true);
          break;
        case 'whisper':
          expect(groupsOf.has(event.from)).toBe(true);
          break;
        default:
          break;
      }
    },
  };
}

test('what waits is given in order, and then nothing', () => {
  const queue = queueOf(10);
  const events = [entered(1), whisper(1, 'a'), joined(1, 'g'), whisper(1, 'b')];
  for (const event of events) queue.push(event);
  expect(drain(queue)).toEqual(events);
  expect(queue.take()).toBeUndefined();
});

test.each([
  ['messages', queueOf(2)],
  ['bytes', queueOf(100, 5)],
])('above the cap of %s messages are dropped and counted where the first one stood', (_, queue) => {
  queue.push(entered(1));
  for (const text of ['aa', 'bb', 'cc', 'dd']) queue.push(whisper(1, text));
  queue.push(joined(1, 'g'));
  queue.push(whisper(1, 'ee'));
  expect(drain(queue)).toEqual([
    entered(1),
    whisper(1, 'aa'),
    whisper(1, 'bb'),
    { kind: 'inbox-full', droppedEvents: 3 },
    joined(1, 'g'),
  ]);
  queue.push(whisper(1, 'ff'));
  expect(drain(queue)).toEqual([whisper(1, 'ff')]);
});

test('a reader that stands still while peers come and go holds no more than its view is off by', () => {
  const queue = queueOf(100);
  queue.push(entered(0, ['g']));
  queue.push(joined(0, 'g'));
  expect(drain(queue)).toHaveLength(2);
  for (let n = 1; n <= 100_000; n++) {
    queue.push(entered(n, ['g']));
    queue.push(joined(n, 'g'));
    if (n % 100 === 0) queue.push(whisper(n));
    queue.push(exited(n));
    queue.push(n % 2 === 0 ? joined(0, 'g') : left(0, 'g'));
  }
  queue.push(exited(0));
  const rest = drain(queue);
  expect(rest.length).toBeLessThan(400);
  expect(rest.at(-1)).toEqual(exited(0));
  const view = createView();
  view.groupsOf.set(idOf(0), new Set(['g']));
  for (const event of rest) view.read(event);
  expect(view.groupsOf.size).toBe(0);
});

test('whatever happens and however slowly it is read, the view comes out right and messages keep their order', () => {
  const step = fc.record({
    peer: fc.nat(3),
    act: fc.constantFrom('visit', 'visit', 'group', 'group', 'whisper', 'take'),
    group: fc.constantFrom('g', 'h'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 12 }), (steps, max) => {
      const queue = queueOf(max);
      const view = createView();
      const truth = new Map<string, Set<string>>();
      let sent = 0;
      let seen = -1;
      const read = (event: QueuedEvent | undefined) => {
        if (event === undefined) return;
        view.read(event);
        if (event.kind !== 'whisper') return;
        const number = Number(String(event.content[0]));
        expect(number).toBeGreaterThan(seen);
        seen = number;
      };
      for (const { peer, act, group } of steps) {
        const groups = truth.get(idOf(peer));
        if (act === 'take') read(queue.take());
        else if (act === 'visit' && groups === undefined) {
          truth.set(idOf(peer), new Set([group]));
          queue.push(entered(peer, [group]));
          queue.push(joined(peer, group));
        } else if (groups === undefined) continue;
        else if (act === 'visit') {
          truth.delete(idOf(peer));
          queue.push(exited(peer));
        } else if (act === 'whisper') queue.push(whisper(peer, String(sent++)));
        else if (groups.delete(group)) queue.push(left(peer, group));
        else {
          groups.add(group);
          queue.push(joined(peer, group));
        }
      }
      for (const event of drain(queue)) read(event);
      expect(view.groupsOf).toEqual(truth);
    }),
    { numRuns: 1_000 },
  );
});
