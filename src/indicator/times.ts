import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import { observationLimits } from './limits.ts';
import { quote } from './quote.ts';

const epoch = /^\d{1,13}(?:\.\d{1,9})?$/;
const calendar =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?: ?(Z|UTC|GMT|([+-])(\d{2}):?(\d{2})))?)?$/i;

/** Epoch numbers from here on are milliseconds: as seconds this is the year 5138, as milliseconds 1973. */
const millisecondsFrom = 1e11;

const allowed =
  'allowed are RFC 3339 (2026-07-09T12:00:01Z), "2026-07-09 12:00:01" in UTC, a day, or epoch seconds';

/**
 * Reads a time as feeds write it, into Unix milliseconds: RFC 3339; the same with a space, without seconds, with `UTC` or
 * without a zone (taken as UTC); a day alone (its first moment in UTC); epoch seconds or milliseconds as number or text.
 * Refuses what lies before 1990 or more than `aheadMsMax` after `nowMs`.
 */
export function parseTime(
  value: string | number,
  nowMs: number,
  aheadMsMax: number,
): Parsed<number, 'bad-time'> {
  const text = String(value).trim();
  const timeMs = epoch.test(text) ? readEpoch(Number(text)) : readCalendar(text);
  if (timeMs === undefined) return refuse('bad-time', `${quote(text)} is no time; ${allowed}`);
  if (timeMs < observationLimits.oldestMs) {
    return refuse(
      'bad-time',
      `${quote(text)} lies before 1990; leave the field empty when the time is unknown`,
    );
  }
  if (timeMs > nowMs + aheadMsMax) {
    const latest = new Date(nowMs + aheadMsMax).toISOString();
    return refuse('bad-time', `${quote(text)} lies in the future; allowed are times until ${latest}`);
  }
  return accept(timeMs);
}

function readEpoch(number: number): number {
  return Math.floor(number < millisecondsFrom ? number * 1_000 : number);
}

function readCalendar(text: string): number | undefined {
  return readPlainCalendar(text) ?? readAnyCalendar(text);
}

const plainLengths = { toSecond: 19, utc: 20, utcWithMilliseconds: 24 } as const;

/**
 * What programs write: `2026-07-09T12:00:01Z`, with three digits of milliseconds or none, or with a space and no zone.
 * Undefined for whatever is not plainly that, however small the doubt: a fifth of the time that the full reading takes.
 */
function readPlainCalendar(text: string): number | undefined {
  const { length } = text;
  const between = text.charCodeAt(10);
  const isUtc =
    (length === plainLengths.utc || length === plainLengths.utcWithMilliseconds) && text.endsWith('Z');
  if (!isUtc && length !== plainLengths.toSecond) return undefined;
  if (between !== 0x54 && between !== 0x20) return undefined;
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return undefined;
  const year = digitsAt(text, 0) * 100 + digitsAt(text, 2);
  const month = digitsAt(text, 5);
  const day = digitsAt(text, 8);
  const hour = digitsAt(text, 11);
  const minute = digitsAt(text, 14);
  const second = digitsAt(text, 17);
  const hasMilliseconds = length === plainLengths.utcWithMilliseconds;
  if (hasMilliseconds && text[19] !== '.') return undefined;
  const millisecond = hasMilliseconds ? digitsAt(text, 20) * 10 + (digitsAt(text, 21) % 10) : 0;
  // NaN, of what is no digit, is within nothing.
  const isPlain =
    year >= 1_000 &&
    month >= 1 &&
    month <= 12 &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59 &&
    millisecond <= 999;
  if (!isPlain || !(day >= 1 && day <= 31)) return undefined;
  const timeMs = Date.UTC(year, month - 1, day, hour, minute, second, millisecond);
  // Every month has 28 days; Date.UTC rolls 31 April over to 1 May.
  return day <= 28 || new Date(timeMs).getUTCDate() === day ? timeMs : undefined;
}

/** Two digits as a number, or NaN. */
function digitsAt(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 0x30;
  const ones = text.charCodeAt(at + 1) - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function readAnyCalendar(text: string): number | undefined {
  const parts = calendar.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const millisecond = Number((parts[7] ?? '').padEnd(3, '0').slice(0, 3));
  // A leap second (RFC 3339, section 5.7) becomes the first moment of the next minute.
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const dayMs = Date.UTC(year, month - 1, day);
  // Date.UTC rolls 31 April over to 1 May.
  if (new Date(dayMs).getUTCMonth() !== month - 1 || new Date(dayMs).getUTCDate() !== day) return undefined;
  const offset = readOffset(parts[9], Number(parts[10] ?? 0), Number(parts[11] ?? 0));
  if (offset === undefined) return undefined;
  return dayMs + ((hour * 60 + minute - offset) * 60 + second) * 1_000 + millisecond;
}

/** Minutes east of UTC. */
function readOffset(sign: string | undefined, hours: number, minutes: number): number | undefined {
  if (hours > 23 || minutes > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes);
}

const dayMs = 24 * 60 * 60 * 1_000;
/** Days until the year 10000, which RFC 3339 does not write. */
const daysMax = Date.UTC(10_000, 0, 1) / dayMs;
const datesMax = 1_000;
const dates = new Map<number, string>();
const twoDigits = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
const threeDigits = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, '0'));

/**
 * How every interface writes a time: RFC 3339 in UTC. A record has four times, and a Date takes 0.5 us to write each; the
 * dates of a feed are few, so they are kept and the time of day is put behind them (0.1 us).
 */
export function rfc3339(timeMs: number): string {
  const day = Math.floor(timeMs / dayMs);
  if (!Number.isInteger(timeMs) || day < 0 || day >= daysMax) return new Date(timeMs).toISOString();
  const ofDayMs = timeMs - day * dayMs;
  const second = Math.floor(ofDayMs / 1_000);
  const minute = Math.floor(second / 60);
  return `${dateOf(day)}T${twoDigits[Math.floor(minute / 60)]}:${twoDigits[minute % 60]}:${twoDigits[second % 60]}.${threeDigits[ofDayMs % 1_000]}Z`;
}

function dateOf(day: number): string {
  const known = dates.get(day);
  if (known !== undefined) return known;
  const date = new Date(day * dayMs).toISOString().slice(0, 10);
  if (dates.size >= datesMax) dates.clear();
  dates.set(day, date);
  return date;
}
