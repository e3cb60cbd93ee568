import { describe, expect, test } from 'vitest';
import {
  deadWrite,
  pendingWrite,
  readDead,
  readLetterDocumentId,
  readPending,
} from '../../../src/webhook/documents.ts';
import type { Letter } from '../../../src/webhook/letter.ts';
import { forgetSettled, readSettled, settleEvents, writeSettled } from '../../../src/webhook/settled.ts';
import { encodeWebhook, parseWish, readWebhook, type Webhook } from '../../../src/webhook/webhook.ts';

const node = 'ab'.repeat(16);
const event = JSON.stringify({ id: `${node}-1`, type: 'tocsin.search', data: { q: 'ü"\\\n' } });
const letter: Letter = {
  id: `digest-${node}-1-${node}-2`,
  events: [event, event],
  count: 7,
  last: { id: `${node}-7`, time: '2026-01-02T03:04:05.006Z' },
};
const webhook: Webhook = {
  id: 'wh_1',
  name: 'siem',
  url: 'https://hooks.example.com/',
  format: 'standard',
  kinds: ['search'],
  filter: 'tags=phishing',
  secrets: ['whsec_AAAA'],
  createdMs: 1,
  sinceMs: 2,
};

describe('documents', () => {
  test('a letter that waits, and a dead one, are read as they were written, to the letter', () => {
    const kept = { letter, attempts: 3, queuedMs: 1, dueMs: 2, reason: 'it answered 500' };
    const pending = pendingWrite('wh_1', kept, 1_000);
    expect(pending.id).toMatch(/^[A-Za-z0-9._:-]{1,200}$/);
    expect(readPending(pending.id, pending.body ?? '')).toEqual(kept);
    const gone = { letter, attempts: 3, atMs: 5, reason: 'it answered 404, 3 times' };
    const dead = deadWrite('wh_1', gone);
    expect(readDead(dead.id, dead.body ?? '')).toEqual(gone);
    expect(readLetterDocumentId(dead.id)).toEqual({ webhookId: 'wh_1', letterId: letter.id });
  });

  test('a webhook is read as it was written; what is none is none', () => {
    expect(readWebhook('wh_1', encodeWebhook(webhook))).toEqual(webhook);
    const off = { ...webhook, disabled: { reason: 'it answered 410', atMs: 3 } };
    expect(readWebhook('wh_1', encodeWebhook(off))).toEqual(off);
    for (const body of ['1', 'null', '[]', '{}', JSON.stringify({ ...webhook, secrets: [] })])
      expect(readWebhook('wh_1', body), body).toBeUndefined();
    for (const body of ['1', 'null', '{}', '{"events":[],"count":1}', '{"events":[{}],"count":1,"last":{}}'])
      expect(readPending('wh_1:x', body), body).toBeUndefined();
  });

  test('settled events are read as they were written, the numbers of a node together', () => {
    const ids = [`${node}-1`, `${node}-20`, `expire-${node}-1767323045006`, `${'cd'.repeat(16)}-3`];
    const text = writeSettled(settleEvents(new Map(), ids, 5));
    expect(text).toEqual({
      of: { [node]: '1,20', ['cd'.repeat(16)]: '3' },
      other: [`expire-${node}-1767323045006`],
    });
    expect([...readSettled(text, 9).keys()].sort()).toEqual([...ids].sort());
  });

  test('settled events are remembered from some minutes before the cursor on, and the newest of too many', () => {
    const minuteMs = 60_000;
    let settled = settleEvents(new Map(), ['a'], 0);
    settled = settleEvents(settled, ['b'], 5 * minuteMs);
    expect([...forgetSettled(settled, 4 * minuteMs).keys()]).toEqual(['a', 'b']);
    expect([...forgetSettled(settled, 4 * minuteMs + 1).keys()]).toEqual(['b']);
    const many = settleEvents(
      new Map(),
      Array.from({ length: 3_000 }, (_, i) => String(i)),
      0,
    );
    expect([...forgetSettled(many, 0).keys()]).toEqual(
      Array.from({ length: 2_000 }, (_, i) => String(i + 1_000)),
    );
  });
});

describe('what an admin may state', () => {
  test('all fields', () => {
    expect(
      parseWish({
        name: 'SOC channel',
        url: 'HTTPS://Hooks.Example.COM/x#y',
        format: 'slack',
        kinds: ['search', 'indicator', 'search'],
        filter: { tags: 'a,!b', confidence: '8' },
        enabled: false,
      }),
    ).toEqual({
      value: {
        name: 'SOC channel',
        url: 'https://hooks.example.com/x',
        format: 'slack',
        kinds: ['search', 'indicator'],
        filter: 'confidence=8&tags=a%2C%21b',
        enabled: false,
      },
    });
  });

  test('every field that is wrong is named at once, with what is allowed', () => {
    const parsed = parseWish({
      name: 'a\nb',
      url: 'ftp://example.com',
      format: 'xml',
      kinds: [],
      filter: { tags: 1 },
      enabled: 'yes',
      secret: 'whsec_x',
    });
    expect('problems' in parsed ? parsed.problems.map(({ field }) => field) : []).toEqual([
      'name',
      'url',
      'format',
      'kinds',
      'filter',
      'enabled',
      'secret',
    ]);
    for (const value of [null, 1, 'x', []]) expect(parseWish(value)).toHaveProperty('problems');
  });
});
