import { z } from '@hono/zod-openapi';
import { type Itype, itypes } from '../indicator/types.ts';
import type { Choice, Filter } from '../query/filter.ts';

/** The parameters of questions, feeds and streams: read once, here, into typed values. */

const listMax = 100;
const dayMs = 24 * 60 * 60 * 1_000;
const hourMs = 60 * 60 * 1_000;
const daysMax = 3_650;

const itypeList = z
  .string()
  .transform((text, context): readonly Itype[] => {
    const names = text.split(',').map((name) => name.trim().toLowerCase());
    const known = itypes.filter((itype) => names.includes(itype));
    if (known.length === new Set(names).size) return known;
    context.addIssue({ code: 'custom', message: `allowed are ${itypes.join(', ')}, separated by commas` });
    return z.NEVER;
  })
  .openapi({ description: 'One itype, or several separated by commas', example: 'ipv4,ipv6' });

function choice(what: string, example: string, canonical = (name: string) => name) {
  return z
    .string()
    .transform((text, context): Choice => {
      const parts = text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '' && part !== '!');
      if (parts.length > 0 && parts.length <= listMax) {
        return {
          any: parts.filter((part) => !part.startsWith('!')).map(canonical),
          none: parts.filter((part) => part.startsWith('!')).map((part) => canonical(part.slice(1))),
        };
      }
      context.addIssue({
        code: 'custom',
        message: `allowed are 1 to ${listMax} names; \`!name\` leaves one out`,
      });
      return z.NEVER;
    })
    .openapi({ description: `${what}: any of \`a,b\`, without \`!a\``, example });
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

function number(min: number, max: number, description: string) {
  return z
    .string()
    .transform((text, context) => {
      const value = Number(text);
      if (/^\d+(\.\d+)?$/.test(text) && value >= min && value <= max) return value;
      context.addIssue({ code: 'custom', message: `allowed is a number from ${min} to ${max}` });
      return z.NEVER;
    })
    .openapi({ description, example: String(min) });
}

export const filterParameters = {
  itype: itypeList.optional(),
  tags: choice('Tags', 'malware,!test', (tag) => tag.toLowerCase()).optional(),
  provider: choice('Providers', 'urlhaus').optional(),
  group: choice('Groups', 'everyone').optional(),
  confidence: confidence.optional(),
  nolog: z
    .string()
    .optional()
    .openapi({ description: 'Leave no trace of this question. This release keeps none at all.' }),
};

export const windowParameters = {
  days: number(
    0,
    daysMax,
    'Not older: by lasttime (observed) in a feed, by reporttime in a query',
  ).optional(),
  hours: number(0, daysMax * 24, 'The same in hours').optional(),
};

export function limitParameter(max: number, description: string) {
  return number(1, max, description)
    .refine(Number.isInteger, { message: `allowed is a whole number from 1 to ${max}` })
    .optional();
}

type FilterValues = {
  readonly itype?: readonly Itype[] | undefined;
  readonly tags?: Choice | undefined;
  readonly provider?: Choice | undefined;
  readonly group?: Choice | undefined;
  readonly confidence?: { readonly min: number; readonly max: number } | undefined;
  readonly days?: number | undefined;
  readonly hours?: number | undefined;
};

export function filterFrom(values: FilterValues, window: 'observed' | 'reported', nowMs: number): Filter {
  const { itype, tags, provider, group, confidence: range, days, hours } = values;
  const asked = days !== undefined || hours !== undefined;
  return {
    ...(itype && { itypes: itype }),
    ...(tags && { tags }),
    ...(provider && { provider }),
    ...(group && { group }),
    ...(range && { confidence: range }),
    ...(asked && { since: { window, ms: nowMs - (days ?? 0) * dayMs - (hours ?? 0) * hourMs } }),
  };
}
