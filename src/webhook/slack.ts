import { defang } from './defang.ts';
import { type CloudEvent, isDigest, type Letter, readEvent } from './letter.ts';

/** Slack's caps (https://api.slack.com/reference/block-kit/blocks). */
export const slackLimits = { sectionCharactersMax: 3_000, blocksMax: 50 } as const;

/** Of one value in a line; a digest has many. */
const valueCharactersMax = 200;
const textCharactersMax = 120;

/**
 * A message of Slack's: `text` for notifications, `blocks` to read. Values are defanged, and every text of others is
 * escaped and shown as it is: nothing in it is a link, a mention or a style.
 */
export function slackBody(letter: Letter): string {
  const events = letter.events.map(readEvent);
  const lines = events.map(lineOf);
  if (!isDigest(letter)) {
    const [line = ''] = lines;
    return JSON.stringify({ text: line, blocks: [section(line)] });
  }
  const more = letter.count - lines.length;
  const head = `*${letter.count} messages* from ${minute(events[0]?.time ?? '')} to ${minute(letter.last.time)}`;
  const rest = more > 0 ? [`and ${more} more, which are in the stream and in searches of Tocsin`] : [];
  return JSON.stringify({ text: head, blocks: inSections([head, ...lines, ...rest]).map(section) });
}

/** Lines together in as few sections as take them; what fits into no block any more is left out. */
function inSections(lines: readonly string[]): readonly string[] {
  const sections: string[] = [];
  for (const line of lines) {
    const last = sections.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= slackLimits.sectionCharactersMax)
      sections[sections.length - 1] = `${last}\n${line}`;
    else sections.push(line);
  }
  return sections.slice(0, slackLimits.blocksMax);
}

function section(text: string) {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}

const verbs: Readonly<Record<string, string>> = {
  'tocsin.indicator.created': 'New',
  'tocsin.indicator.updated': 'Updated',
  'tocsin.sighting': 'Seen',
  'tocsin.retract': 'Retracted',
  'tocsin.expire': 'Expired',
};

/** At most a few hundred characters, whatever is in it. */
function lineOf({ type, time, source, data }: CloudEvent): string {
  const of = (field: string): string => shown(data[field]);
  if (type === 'tocsin.ping') return `Tocsin can reach you: this is a test of the webhook *${of('name')}*`;
  if (type === 'tocsin.search') {
    const itype = data['itype'] === undefined ? '' : ` (${of('itype')})`;
    const node = data['node'] === undefined ? shown(source) : of('node');
    return `*${of('by')}* searched for ${code(data['q'])}${itype} at ${minute(time)}, node ${node}`;
  }
  const tags = Array.isArray(data['tags']) ? shown(data['tags'].join(', ')) : '';
  const facts = [
    tags === '' ? 'no tags' : tags,
    `confidence ${of('confidence')}`,
    `from ${of('provider')}`,
    `TLP ${of('tlp')}`,
    minute(time),
  ];
  return `${verbs[type] ?? shown(type)}: ${code(data['indicator'])} (${of('itype')}): ${facts.join(', ')}`;
}

function code(value: unknown): string {
  return `\`${plain(value, valueCharactersMax).replaceAll('`', "'")}\``;
}

/** `*`, `_`, `~` and the backtick would style what follows. */
function shown(value: unknown): string {
  return plain(value, textCharactersMax).replace(/[*_~`]/g, ' ');
}

/** One line, cut, defanged, and escaped as Slack asks for: `&`, `<` and `>`. */
function plain(value: unknown, charactersMax: number): string {
  const line = (typeof value === 'string' ? value : String(value ?? 'unknown')).replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    ' ',
  );
  const cut = line.length > charactersMax ? `${line.slice(0, charactersMax - 1)}…` : line;
  return defang(cut).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** RFC 3339 to the minute, as people write it. */
function minute(time: string): string {
  return shownTime.test(time) ? `${time.slice(0, 10)} ${time.slice(11, 16)} UTC` : 'an unknown time';
}

const shownTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/;
