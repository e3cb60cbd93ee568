import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openBatch, sealBatches } from '../../../src/event/batch.ts';
import { createIdentity } from '../../../src/event/identity.ts';
import type { Observation } from '../../../src/indicator/types.ts';

type BatchVector = {
  /** 32 bytes of an Ed25519 private key (RFC 8032), hex. */
  readonly seed: string;
  readonly origin: string;
  readonly firstSeq: number;
  readonly entries: readonly { readonly hlc: string; readonly body: Observation }[];
  /** Signature and body, hex. */
  readonly batch: string;
};

const path = new URL('../../vectors/batch.json', import.meta.url);
const vector = JSON.parse(readFileSync(path, 'utf8')) as BatchVector;
const identity = createIdentity(Buffer.from(vector.seed, 'hex'));
const entries = vector.entries.map(({ hlc, body }) => ({ hlc: BigInt(hlc), kind: 'observe' as const, body }));

// Signed batches lie on disks and travel between releases: a change of these bytes needs a new version of the format.
test('the same events of the same key are the same bytes in every release', () => {
  expect(identity.nodeId).toBe(vector.origin);
  const batches = sealBatches(identity, vector.firstSeq, entries);
  expect(batches.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).toEqual([vector.batch]);
});

test('the bytes of an earlier release are opened', () => {
  const opened = openBatch(Buffer.from(vector.batch, 'hex'));
  if (!opened.ok) throw new Error(opened.reason);
  expect(opened.value.events).toEqual(
    entries.map(({ hlc, body }, i) => ({
      origin: vector.origin,
      seq: vector.firstSeq + i,
      hlc,
      kind: 'observe',
      body,
    })),
  );
});
