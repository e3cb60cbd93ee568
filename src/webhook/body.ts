import { type CloudEvent, type EventName, type Format, isDigest, type Letter, readEvent } from './letter.ts';
import { slackBody } from './slack.ts';

/** The body of a request, JSON in each of the formats. */
export function bodyOf(letter: Letter, format: Format): string {
  switch (format) {
    case 'standard':
      return isDigest(letter) ? standardDigest(letter) : (letter.events[0] ?? '');
    case 'json':
      return bareBody(letter);
    case 'slack':
      return slackBody(letter);
    default:
      return format satisfies never;
  }
}

/** A CloudEvent of its own, made of nothing but the letter: each owner writes the same. */
function standardDigest(letter: Letter): string {
  const { id, count, events, last } = letter;
  const first = firstOf(letter);
  const head = {
    specversion: '1.0',
    id,
    type: 'tocsin.digest',
    source: first.source,
    time: last.time,
    datacontenttype: 'application/json',
  };
  const data = `{"count":${count},"first":${nameOf(first)},"last":${nameOf(last)},"items":[${events.join(',')}]}`;
  return `${JSON.stringify(head).slice(0, -1)},"data":${data}}`;
}

/** The data alone: the record or the search; of a digest a list of them beside their number. */
function bareBody(letter: Letter): string {
  const items = letter.events.map((json) => readEvent(json).data);
  if (!isDigest(letter)) return JSON.stringify(items[0]);
  const { id, time } = firstOf(letter);
  return JSON.stringify({ count: letter.count, first: { id, time }, last: letter.last, items });
}

function firstOf({ events }: Letter): CloudEvent {
  return readEvent(events[0] ?? '{}');
}

function nameOf({ id, time }: EventName): string {
  return JSON.stringify({ id, time });
}
