import { z } from '@hono/zod-openapi';
import { parseAsn } from '../indicator/asn.ts';
import { parseTlp } from '../indicator/tlp.ts';
import { type Itype, itypes, tlps } from '../indicator/types.ts';
import type { Choice, Filter, Span } from '../query/filter.ts';
import { chosenFrom, parseChoice } from './choice.ts';
import { parseSpan } from './span.ts';

/** The parameters of questions, feeds and streams: read once, here, into typed values. */

const dayMs = 24 * 60 * 60 * 1_000;
const hourMs = 60 * 60 * 1_000;
export const daysMax = 3_650;

/** A parameter whose text a function reads into a value, or refuses with what is allowed. */
export function read<T>(
  parse: (
    text: string,
  ) => { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string },
) {
  return z.string().transform((text, context): T => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    context.addIssue({ code: 'custom', message: parsed.reason });
    return z.NEVER;
  });
}

const itypeList = read((text) => chosenFrom(text, itypes)).openapi({
  description: 'Kinds of indicator: any of `a,b`, without `!a`',
  example: 'ipv4,ipv6',
});

export function choice(
  what: string,
  example: string,
  readName: (name: string) => string | undefined = (name) => name,
  allowed?: string,
) {
  return read((text) => parseChoice(text, readName, allowed)).openapi({
    description: `${what}: any of \`a,b\`, without \`!a\``,
    example,
  });
}

const confidence = z
  .string()
  .transform((text, context) => {
    const [min, max, ...rest] = text
      .split(',')
      .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    const range = { min: min ?? Number.NaN, max: max ?? 10 };
    if (rest.length === 0 && range.min >= 0 && range.min <= range.max && range.max <= 10) return range;
    context.addIssue({
      code: 'custom',
      message: 'allowed are a number from 0 to 10 (at least), or two of them (between)',
    });
    return z.NEVER;
  })
  .openapi({ description: 'At least `8`, or between `3,7`', example: '8' });

export function number(min: number, max: number, description: string, example: string) {
  return z
    .string()
    .transform((text, context) => {
      const value = Number(text);
      if (/^\d+(\.\d+)?$/.test(text) && value >= min && value <= max) return value;
      context.addIssue({ code: 'custom', message: `allowed is a number from ${min} to ${max}` });
      return z.NEVER;
    })
    .openapi({ description, example });
}

export function flag(description: string) {
  return z.enum(['0', '1'], { error: 'allowed are 0 and 1' }).optional().openapi({ description });
}

export const filterParameters = {
  itype: itypeList.optional(),
  tags: choice('Tags', 'malware,!test', (tag) => tag.toLowerCase()).optional(),
  provider: choice('Providers', 'urlhaus').optional(),
  group: choice('Groups', 'everyone').optional(),
  confidence: confidence.optional(),
  asn: choice(
    'Autonomous systems that records are said to be in, by number',
    'AS64500,64501',
    (name) => {
      const asn = parseAsn(name);
      return asn.ok ? String(asn.value) : undefined;
    },
    'numbers of autonomous systems, such as AS64500 or 64500',
  ).optional(),
  cc: choice(
    'Countries that records are said to be in',
    'DE,!FR',
    (name) => (/^[a-z]{2}$/i.test(name) ? name.toUpperCase() : undefined),
    'countries by two letters (ISO 3166)',
  ).optional(),
  tlp: choice('TLP 2.0 labels', 'clear,green', parseTlp, tlps.join(', ')).optional(),
  nolog: flag(
    '`1`: leave no trace of this question: none among the searches that all nodes are told, and none in a log.',
  ),
};

function span(what: string) {
  return read(parseSpan).openapi({
    description:
      `${what} from a time to another: \`start,end\`, of which one may be empty. RFC 3339, or a day, which as the end is ` +
      'meant whole.',
    example: '2026-01-01,2026-01-31',
  });
}

export const windowParameters = {
  days: number(
    0,
    daysMax,
    'Not older: by lasttime (observed) in a feed, by reporttime in a query',
    '7',
  ).optional(),
  hours: number(0, daysMax * 24, 'The same in hours; with `days` it is added', '12').optional(),
  observed: span('Last observed at the source (lasttime)').optional(),
  reported: span('Last reported to the mesh (reporttime)').optional(),
};

export function wholeNumber(min: number, max: number, description: string, example: string) {
  return number(min, max, description, example).refine(Number.isInteger, {
    message: `allowed is a whole number from ${min} to ${max}`,
  });
}

export function limitParameter(max: number, description: string) {
  return wholeNumber(1, max, description, '100').optional();
}

type FilterValues = {
  readonly itype?: readonly Itype[] | undefined;
  readonly tags?: Choice | undefined;
  readonly provider?: Choice | undefined;
  readonly group?: Choice | undefined;
  readonly asn?: Choice | undefined;
  readonly cc?: Choice | undefined;
  readonly tlp?: Choice | undefined;
  readonly confidence?: { readonly min: number; readonly max: number } | undefined;
  readonly days?: number | undefined;
  readonly hours?: number | undefined;
  readonly observed?: Span | undefined;
  readonly reported?: Span | undefined;
};

/** `window` is what `days` and `hours` mean. */
export function filterFrom(values: FilterValues, window: 'observed' | 'reported', nowMs: number): Filter {
  const { itype, tags, provider, group, asn, cc, tlp, confidence: range, observed, reported } = values;
  const sinceMs = sinceOf(values, window, nowMs);
  return {
    ...(itype && { itypes: itype }),
    ...(tags && { tags }),
    ...(provider && { provider }),
    ...(group && { group }),
    ...(asn && { asn }),
    ...(cc && { cc }),
    ...(tlp && { tlp }),
    ...(range && { confidence: range }),
    ...(sinceMs !== undefined && { since: { window, ms: sinceMs } }),
    ...(observed && { observed }),
    ...(reported && { reported }),
  };
}

/** Undefined when the window is not asked for, so that a feed's own may hold. */
function sinceOf(
  { days, hours, observed, reported }: FilterValues,
  window: 'observed' | 'reported',
  nowMs: number,
): number | undefined {
  if (days !== undefined || hours !== undefined) return nowMs - (days ?? 0) * dayMs - (hours ?? 0) * hourMs;
  const asked = window === 'observed' ? observed : reported;
  return asked && (asked.fromMs ?? 0);
}
