import { accept, type Parsed, refuse } from '../parsed.ts';
import { parseTarget } from './guard.ts';
import { type Format, formats } from './letter.ts';
import { webhookLimits as limits } from './limits.ts';

/** A subscription that an admin made: the body of a document that every node holds. */
export type Webhook = {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly format: Format;
  /** Topics of the stream. */
  readonly kinds: readonly string[];
  /** The stream's filters as the text of a query: `tags=phishing&confidence=8`. */
  readonly filter: string;
  /** One, or two while they rotate: the old one first. */
  readonly secrets: readonly string[];
  /** Absent while it is on. */
  readonly disabled?: { readonly reason: string; readonly atMs: number };
  readonly createdMs: number;
  /** What was made before is not delivered: when it was created, or last enabled, Unix ms. */
  readonly sinceMs: number;
};

export type WebhookCode = 'bad-webhook';
export type WebhookProblem = { readonly field: string; readonly reason: string };

/** What an admin states of a webhook. Absent fields are as they were, or as the defaults say. */
export type Wish = {
  readonly name?: string;
  readonly url?: string;
  readonly format?: Format;
  readonly kinds?: readonly string[];
  readonly filter?: string;
  readonly enabled?: boolean;
};

export const defaultKinds: readonly string[] = ['search'];

/**
 * Reads the JSON of a request: an object of the fields above, `filter` an object of the stream's parameters. Names every
 * field that is wrong, and what is allowed.
 */
export function parseWish(
  value: unknown,
): { readonly value: Wish } | { readonly problems: readonly WebhookProblem[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const reason =
      'allowed is an object such as { "name": "siem", "url": "https://hooks.example.com/tocsin" }';
    return { problems: [{ field: 'body', reason }] };
  }
  const problems: WebhookProblem[] = [];
  const wish: { -readonly [Field in keyof Wish]: Wish[Field] } = {};
  for (const [field, given] of Object.entries(value)) {
    const reader = readers[field];
    if (reader === undefined) {
      problems.push({ field, reason: `no such field; there are ${Object.keys(readers).join(', ')}` });
      continue;
    }
    const parsed = reader(given);
    if (parsed.ok) Object.assign(wish, { [field]: parsed.value });
    else problems.push({ field, reason: parsed.reason });
  }
  return problems.length > 0 ? { problems } : { value: wish };
}

type Reader = (value: unknown) => Parsed<unknown, WebhookCode>;

const readers: Readonly<Record<string, Reader>> = {
  name: (value) =>
    typeof value === 'string' && new RegExp(`^[^\\p{C}]{1,${limits.nameCharactersMax}}$`, 'u').test(value)
      ? accept(value)
      : refuse('bad-webhook', `allowed is a text of 1 to ${limits.nameCharactersMax} characters in one line`),
  url(value) {
    if (typeof value !== 'string') return refuse('bad-webhook', 'allowed is a URL as text');
    const parsed = parseTarget(value);
    return parsed.ok ? accept(parsed.value.href) : refuse('bad-webhook', parsed.reason);
  },
  format(value) {
    const format = formats.find((one) => one === value);
    return format === undefined ? refuse('bad-webhook', `allowed are ${formats.join(', ')}`) : accept(format);
  },
  kinds: (value) =>
    Array.isArray(value) && value.length >= 1 && value.length <= 10 && value.every(isText)
      ? accept([...new Set(value)])
      : refuse('bad-webhook', 'allowed is a list of topics of the stream, such as ["search", "indicator"]'),
  filter(value) {
    const parsed = filterText(value);
    return parsed === undefined || parsed.length > limits.filterCharactersMax
      ? refuse(
          'bad-webhook',
          'allowed is an object of the parameters of /stream as texts, such as { "tags": "phishing", "confidence": "8" }',
        )
      : accept(parsed);
  },
  enabled: (value) =>
    typeof value === 'boolean' ? accept(value) : refuse('bad-webhook', 'allowed are true and false'),
};

/** Sorted, so that one filter is one text. */
function filterText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  if (!entries.every((entry): entry is [string, string] => isText(entry[1]))) return undefined;
  const query = new URLSearchParams(entries);
  query.sort();
  return query.toString();
}

/** What it subscribes to, as the stream's routes read it. */
export function subscriptionOf({ kinds, filter }: Pick<Webhook, 'kinds' | 'filter'>): string {
  const query = new URLSearchParams(filter);
  query.set('kind', kinds.join(','));
  return query.toString();
}

export function filterObject(filter: string): Readonly<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(filter));
}

/** The body of its document. */
export function encodeWebhook({ id: _, ...body }: Webhook): string {
  return JSON.stringify(body);
}

/** Reads a document that this release, or another one, has written; undefined when it is no webhook. */
export function readWebhook(id: string, body: string): Webhook | undefined {
  const value = readObject(body);
  if (value === undefined) return undefined;
  const { name, url, format, kinds, filter, secrets, disabled, createdMs, sinceMs } =
    value as Partial<Webhook>;
  const isWebhook =
    isText(name) &&
    isText(url) &&
    formats.some((one) => one === format) &&
    isTexts(kinds) &&
    isText(filter) &&
    isTexts(secrets) &&
    Number.isSafeInteger(createdMs) &&
    Number.isSafeInteger(sinceMs) &&
    (disabled === undefined || (isText(disabled.reason) && Number.isSafeInteger(disabled.atMs)));
  if (!isWebhook) return undefined;
  return { ...(value as Omit<Webhook, 'id'>), id };
}

export function readObject(json: string): object | undefined {
  const value: unknown = JSON.parse(json);
  return typeof value === 'object' && value !== null ? value : undefined;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isText);
}
