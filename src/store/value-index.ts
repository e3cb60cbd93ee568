import type { KeyRange } from './keys.ts';
import { getEach } from './reading.ts';
import type { RecordChange } from './record-rows.ts';
import type { Rows } from './rows.ts';
import type { RecordTables } from './tables.ts';

/*
 * Which records there are of a value, so that a lookup is a get or two where we stand. To find them by an iterator over the
 * records takes another thread, and to wake it costs several times what is read.
 */

type Values = RecordTables['values'];

/** What follows the value in the keys of its records, by value. */
export type ValueLists = ReadonlyMap<string, readonly string[]>;

const separator = '\n';

/** The lists of the values that records are of. */
export async function loadValueLists(values: Values, keys: readonly string[]): Promise<ValueLists> {
  const names = [...new Set(keys.map((key) => splitKey(key).value))];
  const found = await getEach(values, names);
  return new Map(names.map((name, i) => [name, listOf(found[i])]));
}

/** Those keys that there are records of: most of what comes is new, and its records need not be looked for. */
export function knownKeys(keys: readonly string[], lists: ValueLists): readonly string[] {
  return keys.filter((key) => {
    const { value, rest } = splitKey(key);
    return lists.get(value)?.includes(rest) === true;
  });
}

export function addValueRows(
  rows: Rows,
  values: Values,
  changes: readonly Pick<RecordChange, 'key' | 'before' | 'after'>[],
  lists: ValueLists,
): void {
  const changed = new Map<string, Set<string>>();
  for (const change of changes) {
    if (!comesOrGoes(change)) continue;
    const { value, rest } = splitKey(change.key);
    const list = changed.get(value) ?? new Set(lists.get(value));
    changed.set(value, list);
    if (change.after === undefined) list.delete(rest);
    else list.add(rest);
  }
  for (const [value, list] of changed) {
    if (list.size === 0) rows.del(values, value);
    else rows.put(values, value, [...list].sort().join(separator));
  }
}

/** The keys of a value's records, in their order. */
export function keysOfValue(values: Values, value: string): readonly string[] {
  return listOf(values.getSync(value)).map((rest) => `${value}\0${rest}`);
}

/** The value that a range is all records of; undefined when it is of more. */
export function valueOfRange({ gt, lt }: KeyRange): string | undefined {
  const value = gt.slice(0, -1);
  return gt.endsWith('\0') && lt === `${value}\u0001` && value.includes('\0') ? value : undefined;
}

function comesOrGoes({ before, after }: Pick<RecordChange, 'before' | 'after'>): boolean {
  return (before === undefined) !== (after === undefined);
}

/** A record's key without its provider and group, and these. */
function splitKey(key: string): { readonly value: string; readonly rest: string } {
  const end = key.lastIndexOf('\0', key.lastIndexOf('\0') - 1);
  return { value: key.slice(0, end), rest: key.slice(end + 1) };
}

function listOf(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(separator);
}
