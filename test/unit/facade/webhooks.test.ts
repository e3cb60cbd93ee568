import { describe, expect, test } from 'vitest';
import { bearer, openRooms } from '../../support/rooms.ts';
import { ask } from '../webhook/support/driving.ts';

const url = 'http://127.0.0.1:9/hook';

describe('creating', () => {
  test('the secret is told once, and stands in no later answer', async () => {
    await using rooms = await openRooms();
    const made = await ask(rooms, 'POST', '/webhooks', { name: 'siem', url });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      id: expect.stringMatching(/^wh_[0-9a-f]{24}$/),
      name: 'siem',
      url,
      format: 'standard',
      kinds: ['search'],
      filter: {},
      enabled: true,
      secrets: 1,
      created: '2026-01-02T03:04:05.000Z',
      breaker: 'closed',
      waiting: 0,
      pending: 0,
      dead: 0,
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
    });
    const { id, secret } = made.body;
    for (const path of ['/webhooks', `/webhooks/${id}`, `/webhooks/${id}/dead`]) {
      const response = await rooms.app.request(path, { headers: bearer('admin') });
      expect(response.status).toBe(200);
      expect(await response.text()).not.toContain(String(secret).slice(6, 20));
    }
  });

  test('everything that is wrong is named with what is allowed', async () => {
    await using rooms = await openRooms();
    const wrong = await ask(rooms, 'POST', '/webhooks', {
      name: '',
      url: 'ftp://x',
      format: 'xml',
      secrets: [],
    });
    expect(wrong.status).toBe(400);
    expect(wrong.body['errors']).toMatchObject([
      { parameter: 'name' },
      { parameter: 'url' },
      { parameter: 'format', detail: 'allowed are standard, slack, json' },
      { parameter: 'secrets', detail: expect.stringContaining('no such field') },
    ]);
    expect((await ask(rooms, 'POST', '/webhooks', {})).body['errors']).toMatchObject([
      { parameter: 'name' },
      { parameter: 'url' },
    ]);
    for (const body of ['', '{', '[]', 'null', '"x"']) {
      const response = await rooms.app.request('/webhooks', {
        method: 'POST',
        headers: bearer('admin'),
        body,
      });
      expect(response.status, body).toBe(400);
    }
    const long = JSON.stringify({ name: 'x'.repeat(20_000) });
    const response = await rooms.app.request('/webhooks', {
      method: 'POST',
      headers: bearer('admin'),
      body: long,
    });
    expect(response.status).toBe(413);
    expect((await ask(rooms, 'GET', '/webhooks')).body).toEqual([]);
  });

  test('a URL that leads to a private address is refused with the reason and the way out', async () => {
    await using rooms = await openRooms();
    for (const private_ of [
      'http://169.254.169.254/',
      'http://[::1]/',
      'http://0x7f.2/',
      'http://10.0.0.1/',
    ]) {
      const { status, body } = await ask(rooms, 'POST', '/webhooks', { name: 'x', url: private_ });
      expect(status, private_).toBe(400);
      expect(body['detail'], private_).toMatch(/^url: .*public addresses only; --webhook-allow/);
    }
    const unknown = await ask(rooms, 'POST', '/webhooks', { name: 'x', url: 'https://nowhere.test/' });
    expect(unknown.body['detail']).toMatch(/does not resolve/);
  });

  test('filters are those of the stream, read by the same parser', async () => {
    await using rooms = await openRooms();
    const filter = {
      itype: 'ipv4',
      tags: 'a,!b',
      confidence: '8',
      cc: 'de',
      asn: 'AS64500',
      q: '192.0.2.0/24',
    };
    const good = await ask(rooms, 'POST', '/webhooks', { name: 'x', url, kinds: ['indicator'], filter });
    expect(good.status).toBe(201);
    expect(good.body['filter']).toEqual(filter);
    for (const [wrong, detail] of [
      [{ confidence: '11' }, /filter: confidence: allowed/],
      [{ q: 'not an indicator' }, /filter: q: /],
      [{ days: '7' }, /filter: days: there is no such filter/],
    ] as const) {
      const { status, body } = await ask(rooms, 'POST', '/webhooks', { name: 'x', url, filter: wrong });
      expect(status).toBe(400);
      expect(body['detail']).toMatch(detail);
    }
    const kinds = await ask(rooms, 'POST', '/webhooks', { name: 'x', url, kinds: ['indicators'] });
    expect(kinds.body['detail']).toMatch(/kind/);
  });
});

describe('changing', () => {
  test('what is stated changes, the rest stays; off and on', async () => {
    await using rooms = await openRooms();
    const { body } = await ask(rooms, 'POST', '/webhooks', { name: 'x', url, filter: { tags: 'a' } });
    const path = `/webhooks/${body['id']}`;
    const renamed = await ask(rooms, 'PATCH', path, { name: 'y', format: 'json' });
    expect(renamed.body).toMatchObject({
      name: 'y',
      format: 'json',
      url,
      filter: { tags: 'a' },
      enabled: true,
    });
    const off = await ask(rooms, 'PATCH', path, { enabled: false });
    expect(off.body).toMatchObject({ enabled: false, disabled: { reason: 'turned off' } });
    const on = await ask(rooms, 'PATCH', path, { enabled: true });
    expect(on.body).toMatchObject({ enabled: true });
    expect(on.body['disabled']).toBeUndefined();
    expect((await ask(rooms, 'PATCH', path, { url: 'http://10.0.0.1/' })).status).toBe(400);
    expect((await ask(rooms, 'GET', path)).body).toMatchObject({ url, name: 'y' });
  });

  test('a webhook that is not there is 404 everywhere', async () => {
    await using rooms = await openRooms();
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PATCH', '', { name: 'x' }],
      ['DELETE', '', undefined],
      ['POST', '/rotate', undefined],
      ['POST', '/rotate?finish=1', undefined],
      ['POST', '/test', undefined],
      ['GET', '/dead', undefined],
      ['POST', '/replay', undefined],
    ] as const) {
      const { status } = await ask(rooms, method, `/webhooks/wh_none${path}`, body);
      expect(status, `${method} ${path}`).toBe(404);
    }
  });

  test('a replay names what it cannot read', async () => {
    await using rooms = await openRooms();
    const { body } = await ask(rooms, 'POST', '/webhooks', { name: 'x', url });
    const replay = `/webhooks/${body['id']}/replay`;
    expect(await ask(rooms, 'POST', replay)).toEqual({ status: 202, body: { replayed: 0 } });
    for (const wrong of [{ ids: 'all' }, { id: [] }, []])
      expect((await ask(rooms, 'POST', replay, wrong)).status).toBe(400);
  });

  test('no scope but admin reads or changes webhooks', async () => {
    await using rooms = await openRooms();
    const { body } = await ask(rooms, 'POST', '/webhooks', { name: 'x', url });
    for (const scope of ['read', 'feed', 'write', 'stream']) {
      for (const [method, path] of [
        ['GET', '/webhooks'],
        ['POST', '/webhooks'],
        ['GET', `/webhooks/${body['id']}`],
        ['DELETE', `/webhooks/${body['id']}`],
        ['POST', `/webhooks/${body['id']}/rotate`],
      ] as const) {
        const response = await rooms.app.request(path, { method, headers: bearer(scope) });
        expect(response.status, `${scope} ${method} ${path}`).toBe(403);
      }
    }
  });
});
