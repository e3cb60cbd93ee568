import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { canonicalise } from '../../../src/indicator/canonical.ts';

/**
 * Every defanged token of every text file of the real feeds. What a token is, and what it means, is worked out here without
 * our own refanging: cut at what separates cells and words, marks replaced one by one.
 */

const feeds = join(import.meta.dirname, '../../../../shared/data/feeds');
const present = existsSync(feeds);

if (!present) {
  if (process.env['CI'] !== undefined) throw new Error(`no feeds at ${feeds}: in CI they must be there`);
  console.log(`skipped: no feeds at ${feeds}`);
}

const styles: readonly (readonly [name: string, mark: RegExp, plain: string])[] = [
  ['[.]', /\[\.\]/g, '.'],
  ['(.)', /\(\.\)/g, '.'],
  ['{.}', /\{\.\}/g, '.'],
  ['[dot]', /[[({]dot[\])}]/gi, '.'],
  ['[@]', /[[({]@[\])}]/g, '@'],
  ['[at]', /[[({]at[\])}]/gi, '@'],
  ['[:]', /\[:\]/g, ':'],
  ['[://]', /\[:\/\/\]/g, '://'],
  ['hxxp', /\bhxxp/gi, 'http'],
  ['meow', /\bmeow(?=:\/\/)/gi, 'http'],
  ['\\.', /(?<=[a-z\d])\\\.(?=[a-z\d])/gi, '.'],
  ['wide dot', /(?<=[a-z\d])[\u3002\uff0e\uff61](?=[a-z\d])/gi, '.'],
];

type Token = {
  readonly file: string;
  readonly text: string;
  readonly plain: string;
  readonly styles: readonly string[];
};

function tokensOf(file: string): readonly Token[] {
  const found = new Map<string, Token>();
  for (const piece of readFileSync(join(feeds, file), 'utf8').split(/[\s",;|<>]+/)) {
    // Words of prose that the mark is about, and Markdown's links, are no tokens.
    const text = piece.replace(/^['`]+|[.'`]+$/g, '');
    // Behind the host of a URL that is plain up to there, brackets belong to the URL.
    const marked = /^https?:\/\//i.test(text) ? text.split('/', 3).join('/') : text;
    if (styles.every(([, mark]) => marked.search(mark) === -1)) continue;
    const used = styles.filter(([, mark]) => text.search(mark) !== -1);
    if (/\]\(/.test(text)) continue;
    const plain = used.reduce((whole, [, mark, to]) => whole.replaceAll(mark, to), text);
    found.set(text, { file, text, plain, styles: used.map(([name]) => name) });
  }
  return [...found.values()];
}

/** Knows nothing of our canonicaliser. */
function isPlainIndicator(text: string): boolean {
  const host = /^(?:[\p{L}\p{N}_-]+\.)+[\p{L}\p{N}-]*\p{L}[\p{L}\p{N}-]*$/u;
  const address = /^(?:\d{1,3}\.){3}\d{1,3}(?:\/\d+|:\d+)?$/;
  if (/^https?:\/\//i.test(text)) return URL.canParse(text) && new URL(text).hostname.includes('.');
  const [local = '', domain = ''] = text.split('@');
  return domain === ''
    ? host.test(text) || address.test(text)
    : /^[\w.+-]+$/.test(local) && host.test(domain);
}

/** Why a token is rightly refused. */
function excuse(plain: string): string | undefined {
  if (plain.startsWith('*.')) return 'a pattern, not a name';
  if (!isPlainIndicator(plain)) return 'no indicator without its marks either';
  return undefined;
}

describe.skipIf(!present)('defanged tokens of the real feeds', () => {
  const files = readdirSync(feeds, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:txt|csv|intel|json|stix2|md|html?|ioc|log|conf|rules)$/.test(name))
    .sort();
  const tokens = present ? files.flatMap(tokensOf) : [];

  test('are the indicators that they mean, or are refused for a reason that holds', () => {
    const taken = new Map<string, number>();
    const refused = new Map<string, string[]>();
    const wrong: unknown[] = [];
    for (const { file, text, plain, styles: used } of tokens) {
      const parsed = canonicalise(text);
      if (parsed.ok) {
        expect(canonicalise(plain)).toEqual(parsed);
        for (const style of used) taken.set(style, (taken.get(style) ?? 0) + 1);
        continue;
      }
      const why = excuse(plain);
      if (why === undefined) wrong.push({ file, text, code: parsed.code });
      else refused.set(why, [...(refused.get(why) ?? []), text]);
    }
    console.log(`${tokens.length} distinct defanged tokens; taken by style:`, Object.fromEntries(taken));
    for (const [why, texts] of refused)
      console.log(`refused: ${texts.length}, ${why}, such as`, texts.slice(0, 8));
    expect(wrong).toEqual([]);
    expect(taken.get('[.]') ?? 0).toBeGreaterThan(18_000);
    expect(taken.get('[@]') ?? 0).toBeGreaterThan(40);
    expect(taken.get('hxxp') ?? 0).toBeGreaterThan(100);
    expect([...refused.values()].flat().length).toBeLessThan(tokens.length / 100);
  });
});
