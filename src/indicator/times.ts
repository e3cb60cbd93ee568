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

/** How every interface writes a time: RFC 3339 in UTC. */
export function rfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
