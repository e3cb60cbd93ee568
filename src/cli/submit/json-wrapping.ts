import { rowListNames } from '../../indicator/row-lists.ts';
import type { RowsPath } from './json-values.ts';

/** A member of the outermost object, and what its value begins with: `[{`, `["`, `{`, ... */
type Member = { readonly name: string; readonly opens: string };

/**
 * Where the rows of a JSON file are, told by its beginning: in the list that a well-known member holds, in the one list of
 * objects, or in every member when all of them are lists (ThreatFox). An object that names an indicator is a row itself.
 */
export function guessRowsPath(sample: string): RowsPath {
  const members = membersOf(sample);
  const lists = members.filter(({ opens }) => opens === '[{' || opens === '["');
  if (lists.length === 0 || members.some(({ name }) => name === 'indicator')) return [];
  const known = lists.find(({ name }) => rowListNames.includes(name.toLowerCase()));
  if (known !== undefined) return [known.name];
  if (lists.length === members.length) return ['*'];
  const [list, ...more] = lists.filter(({ opens }) => opens === '[{');
  return list !== undefined && more.length === 0 ? [list.name] : [];
}

/** `"name": ` and the first two characters of the value, white space between them aside. */
const member = /"((?:[^"\\]|\\.)*)"\s*:\s*(\[\s*.|.)/y;
const piece = /"(?:[^"\\]|\\.)*(?:"|$)|[{}[\],]|[^"{}[\],]+/gy;

function membersOf(sample: string): readonly Member[] {
  const members: Member[] = [];
  const start = /^\s*\{\s*/.exec(sample);
  if (start === null) return [];
  let at = start[0].length;
  let depth = 1;
  let expectsName = true;
  while (at < sample.length && depth > 0) {
    if (depth === 1 && expectsName) {
      member.lastIndex = at;
      const found = member.exec(sample);
      if (found !== null) members.push({ name: found[1] ?? '', opens: (found[2] ?? '').replace(/\s/g, '') });
      expectsName = false;
    }
    piece.lastIndex = at;
    const [token = ''] = piece.exec(sample) ?? [];
    if (token === '') break;
    at += token.length;
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (token === ',' && depth === 1) {
      expectsName = true;
      at += /^\s*/.exec(sample.slice(at, at + 200))?.[0].length ?? 0;
    }
  }
  return members;
}
