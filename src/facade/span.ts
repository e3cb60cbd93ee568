import { parseTime } from '../indicator/times.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import type { Span } from '../query/filter.ts';

const lastOfDayMs = 24 * 60 * 60 * 1_000 - 1;
const day = /^\d{4}-\d{2}-\d{2}$/;

/** Reads a time from which on something is meant, in Unix milliseconds. */
export function parseStart(text: string): Parsed<number, 'bad-time'> {
  return parseTime(text.trim(), 0, Number.POSITIVE_INFINITY);
}

/** Reads `start,end`, of which one may be empty; a day as the end is meant to its last moment. */
export function parseSpan(text: string): Parsed<Span, 'bad-span'> {
  const [start, end, ...rest] = text.split(',').map((part) => part.trim());
  if (start === undefined || end === undefined || rest.length > 0 || (start === '' && end === '')) {
    return refuse(
      'bad-span',
      'allowed is `start,end`, of which one may be empty: RFC 3339 (2026-07-09T12:00:01Z) or days (2026-07-09)',
    );
  }
  const from = start === '' ? undefined : parseTime(start, 0, Number.POSITIVE_INFINITY);
  const to = end === '' ? undefined : parseTime(end, 0, Number.POSITIVE_INFINITY);
  for (const time of [from, to]) if (time?.ok === false) return refuse('bad-span', time.reason);
  const fromMs = from?.ok ? from.value : undefined;
  const endMs = to?.ok ? to.value : undefined;
  const toMs = endMs !== undefined && day.test(end) ? endMs + lastOfDayMs : endMs;
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs) {
    return refuse('bad-span', 'the end lies before the start; allowed is `start,end`');
  }
  return accept({ ...(fromMs !== undefined && { fromMs }), ...(toMs !== undefined && { toMs }) });
}
