import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { bodyOf } from '../../../src/webhook/body.ts';
import { defang } from '../../../src/webhook/defang.ts';
import { type Letter, letterOf, messageId } from '../../../src/webhook/letter.ts';
import { newSecret, signedHeaders } from '../../../src/webhook/signature.ts';
import { slackLimits } from '../../../src/webhook/slack.ts';

const node = 'ab'.repeat(16);

function event(id: string, type: string, data: Record<string, unknown>): string {
  return JSON.stringify({
    specversion: '1.0',
    id,
    type,
    source: node,
    time: '2026-01-02T03:04:05.006Z',
    datacontenttype: 'application/json',
    cursor: `${node}.7.abc`,
    data,
  });
}

const search = event(`${node}-1`, 'tocsin.search', { q: 'example.com', itype: 'fqdn', by: 'alice', node });
const record = event(`${node}-2`, 'tocsin.indicator.created', {
  indicator: 'http://example.com/<a>?b=c&d=e',
  itype: 'url',
  tags: ['malware', 'phishing'],
  confidence: 8,
  provider: 'urlhaus',
  tlp: 'amber',
});

function digest(events: readonly string[], count = events.length): Letter {
  return {
    id: `digest-${node}-1-${node}-9`,
    events,
    count,
    last: { id: `${node}-9`, time: '2026-01-02T03:09:05.006Z' },
  };
}

describe('defanging', () => {
  for (const [plain, defanged] of [
    ['http://example.com/a.b', 'hxxp[:]//example[.]com/a[.]b'],
    ['HTTPS://example.com:8443/', 'hxxps[:]//example[.]com[:]8443/'],
    ['ftp://example.com/', 'fxp[:]//example[.]com/'],
    ['192.0.2.1', '192[.]0[.]2[.]1'],
    ['2001:db8::1/32', '2001[:]db8[:][:]1/32'],
    ['a@example.com', 'a[@]example[.]com'],
    ['*.example.com', '*[.]example[.]com'],
    ['d41d8cd98f00b204e9800998ecf8427e', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['javascript:alert(1)', 'javascript[:]alert(1)'],
  ] as const) {
    test(`${plain} is ${defanged}`, () => expect(defang(plain)).toBe(defanged));
  }
});

describe('standard and json', () => {
  test('an event is the CloudEvent of the stream, or its data alone', () => {
    const letter = letterOf(`${node}-1`, search);
    expect(bodyOf(letter, 'standard')).toBe(search);
    expect(JSON.parse(bodyOf(letter, 'json'))).toEqual({
      q: 'example.com',
      itype: 'fqdn',
      by: 'alice',
      node,
    });
  });

  test('a digest is a CloudEvent with the number, the first, the last and the events; or the data of it', () => {
    const letter = digest([search, record]);
    expect(JSON.parse(bodyOf(letter, 'standard'))).toEqual({
      specversion: '1.0',
      id: letter.id,
      type: 'tocsin.digest',
      source: node,
      time: '2026-01-02T03:09:05.006Z',
      datacontenttype: 'application/json',
      data: {
        count: 2,
        first: { id: `${node}-1`, time: '2026-01-02T03:04:05.006Z' },
        last: letter.last,
        items: [JSON.parse(search), JSON.parse(record)],
      },
    });
    expect(JSON.parse(bodyOf(letter, 'json'))).toMatchObject({
      count: 2,
      items: [{ q: 'example.com' }, { itype: 'url' }],
    });
  });
});

type SlackMessage = { text: string; blocks: { type: string; text: { type: string; text: string } }[] };

function slack(letter: Letter): SlackMessage {
  return JSON.parse(bodyOf(letter, 'slack')) as SlackMessage;
}

describe('slack', () => {
  test('a search says who, what, when and from where', () => {
    const { text, blocks } = slack(letterOf('x', search));
    expect(text).toBe(`*alice* searched for \`example[.]com\` (fqdn) at 2026-01-02 03:04 UTC, node ${node}`);
    expect(blocks).toEqual([{ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } }]);
  });

  test('a record says what it is, with tags, confidence and provider, and no live link', () => {
    const { text } = slack(letterOf('x', record));
    expect(text).toBe(
      'New: `hxxp[:]//example[.]com/&lt;a&gt;?b=c&amp;d=e` (url): malware, phishing, confidence 8, from urlhaus, TLP amber, 2026-01-02 03:04 UTC',
    );
  });

  test('nothing that others wrote is a mention, a link, a style or a second line', () => {
    const hostile = event('x', 'tocsin.search', {
      q: '`<!channel> <https://evil.example|click>\n*b* \u202e',
      by: '<@U123> *bold* http://evil.example',
      node,
    });
    const { text } = slack(letterOf('x', hostile));
    expect(text).not.toMatch(/<|\n|\u202e|https?:\/\/|evil\.example/);
    expect(text.match(/`/g)).toHaveLength(2);
    expect(text.match(/\*/g)?.length).toBe(4);
  });

  test('a digest of the longest values stays within the caps of Slack and says what it leaves out', () => {
    const longest = event('x', 'tocsin.indicator.updated', {
      indicator: `http://example.com/${'<&.'.repeat(2_700)}`,
      itype: 'url',
      tags: Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(64, '&')),
      confidence: 8,
      provider: '&'.repeat(64),
      tlp: 'clear',
    });
    const { text, blocks } = slack(
      digest(
        Array.from({ length: 50 }, () => longest),
        1_234,
      ),
    );
    expect(text).toMatch(/^\*1234 messages\*/);
    expect(blocks.length).toBeLessThanOrEqual(slackLimits.blocksMax);
    for (const block of blocks)
      expect(block.text.text.length).toBeLessThanOrEqual(slackLimits.sectionCharactersMax);
    expect(blocks.at(-1)?.text.text).toMatch(/and 1184 more/);
  });
});

describe('signature', () => {
  test('either of two secrets verifies the body, and no other one does', () => {
    const [old, young, other] = [1, 2, 3].map((byte) =>
      newSecret((length) => new Uint8Array(length).fill(byte)),
    );
    const id = messageId('wh_1', `${node}-1`);
    const headers = { ...signedHeaders(id, search, [old ?? '', young ?? ''], Date.now()) };
    expect(headers['webhook-id']).toBe(`msg_wh_1_${node}-1`);
    for (const secret of [old, young])
      expect(new Webhook(secret ?? '').verify(search, headers)).toEqual(JSON.parse(search));
    expect(() => new Webhook(other ?? '').verify(search, headers)).toThrow(/No matching signature/);
    expect(() => new Webhook(old ?? '').verify(`${search} `, headers)).toThrow(/No matching signature/);
  });
});
