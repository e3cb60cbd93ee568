import { valueKey } from '../indicator/sort-key.ts';
import { type Itype, itypes } from '../indicator/types.ts';
import { isBehind } from '../store/keys.ts';

/** Before the first of them; itypes are few. */
const firstRank = 'A'.charCodeAt(0);

/** Where a value stands in a feed, as text that sorts: by itype in their order, then by the sort key. */
export function orderKey(itype: Itype, indicator: string): string {
  return placed(itype, valueKey(itype, indicator));
}

/** The itype and the sort key that an order key was made of. */
export function placeOf(key: string): { readonly itype: Itype; readonly valueKey: string } {
  const itype = itypes[key.charCodeAt(0) - firstRank];
  if (itype === undefined) throw new Error(`no order key: ${key}`);
  return { itype, valueKey: key.slice(1) };
}

/** A place as a cursor holds it: by the itype's name, as a later release may have more of them. */
export function writePlace(key: string): string {
  const { itype, valueKey: value } = placeOf(key);
  return `${itype}\0${value}`;
}

/** Undefined when it is no place. */
export function readPlace(text: string): string | undefined {
  const [name, value] = text.split('\0');
  const itype = itypes.find((known) => known === name);
  return itype === undefined || value === undefined ? undefined : placed(itype, value);
}

function placed(itype: Itype, value: string): string {
  return String.fromCharCode(firstRank + itypes.indexOf(itype)) + value;
}

/** For sorting, in the order of the store. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  return isBehind(a, b) ? 1 : -1;
}
