import { type PeerId, seededRandom } from 'tocsin/mesh';
import { expect, test } from 'vitest';
import type { NodeId } from '../../../src/event/types.ts';
import { replicateLimits } from '../../../src/replicate/limits.ts';
import { newReplica, type Replica, type ReplicaInput, stepReplica } from '../../../src/replicate/replica.ts';

import { batchesOf, identityOf, observation } from '../../contract/store-contract.ts';

const context = {
  limits: replicateLimits,
  self: '00'.repeat(16) as NodeId,
  mine: new Map(),
  told: new Map(),
  canWrite: true,
  nowMs: 0,
  wallMs: 0,
  random: seededRandom(1),
};
const [one, two] = ['AA'.repeat(16) as PeerId, 'BB'.repeat(16) as PeerId];

function after(...inputs: readonly ReplicaInput[]): Replica {
  return inputs.reduce(
    (replica, input) => stepReplica(replica, input, context).replica,
    newReplica(0, false),
  );
}
const joined = (id: PeerId): ReplicaInput => ({ kind: 'peer-joined', id });
const left = (id: PeerId, saidGoodbye: boolean): ReplicaInput => ({ kind: 'peer-left', id, saidGoodbye });

test('a node is cut off when its last peer went without a goodbye, until another comes', () => {
  expect(after().cutOff).toBe(false);
  expect(after(joined(one), left(one, true)).cutOff).toBe(false);
  expect(after(joined(one), joined(two), left(one, false)).cutOff).toBe(false);
  expect(after(joined(one), joined(two), left(one, false), left(two, true)).cutOff).toBe(false);
  const cutOff = [joined(one), joined(two), left(two, false), left(one, false)] as const;
  expect(after(...cutOff).cutOff).toBe(true);
  // A stranger's end says nothing.
  expect(after(...cutOff, left(two, true)).cutOff).toBe(true);
  expect(after(...cutOff, joined(two)).cutOff).toBe(false);
});

test('a node that cannot write asks for nothing, and takes nothing that comes', () => {
  const theirs = new Map([['11'.repeat(16) as NodeId, { upTo: 9, above: [] }]]);
  const heard = (of: typeof context) =>
    stepReplica(
      after(joined(one)),
      { kind: 'heard', from: one, message: { kind: 'vector', vector: theirs, answer: false } },
      of,
    ).effects.map(({ kind }) => kind);
  expect(heard(context)).toEqual(['whisper']);
  expect(heard({ ...context, canWrite: false })).toEqual([]);
  const [batch] = batchesOf(identityOf(1), 1, [observation('example.com')]);
  if (batch === undefined) throw new Error('no batch');
  const shout = { kind: 'heard', from: one, message: { kind: 'batches', batches: [batch] } } as const;
  expect(stepReplica(after(joined(one)), shout, context).effects).toMatchObject([{ kind: 'commit' }]);
  const cannot = { ...context, canWrite: false };
  expect(stepReplica(after(joined(one)), shout, cannot).effects).toEqual([]);
});
