import type { Network } from '../indicator/address.ts';
import type { IndicatorRecord } from '../indicator/types.ts';
import { isBehind, type KeyRange, valueName } from '../store/keys.ts';
import { coveringOf } from '../store/value-ranges.ts';
import type { Asked } from './asked.ts';
import { type Related, relations } from './match.ts';
import { networkOf, type Part, partsOf } from './parts.ts';

/** What a question about values looks at in a record. */
export type Watched = Pick<IndicatorRecord, 'itype' | 'indicator'>;

/** Whether a record would answer a question, told of the record alone. */
export type Watch = (watched: Watched, key: string) => boolean;

/** In a record's key provider and group follow its value. */
const behindValue = '\0.';

/** A watch's second argument, which many watches of one record share. */
export function watchKeyOf({ itype, indicator }: Watched): string {
  return `${valueName(itype, indicator)}${behindValue}`;
}

/**
 * The same relations as those of a query with every relation: the value itself, what covers it or lies inside it, names below
 * it, URLs and e-mail addresses at it, its host; of a pattern the names that fit.
 */
export function watchOf(asked: readonly Asked[]): Watch {
  const byItype = new Map<Watched['itype'], Watch[]>();
  function add(itype: Watched['itype'], watch: Watch): void {
    byItype.set(itype, [...(byItype.get(itype) ?? []), watch]);
  }
  for (const one of asked) {
    for (const part of partsOf(one, besideCovering))
      add(part.itype, (watched, key) => isIn(part, watched, key));
    const network = 'pattern' in one ? undefined : networkOf(one);
    if (network !== undefined) add(network.itype, (_, key) => covers(network, key));
  }
  // Loops, here and below: five hundred watches look at each message, and a function made for each look is as much garbage.
  return (watched, key) => {
    for (const watch of byItype.get(watched.itype) ?? []) if (watch(watched, key)) return true;
    return false;
  };
}

/** The networks that cover an address are up to 127 ranges: which one may be meant is told by the record. */
const besideCovering: Related = new Set(relations.filter((relation) => relation !== 'covers'));

function covers(network: Network, key: string): boolean {
  const prefix = Number.parseInt(key.slice(-behindValue.length - 2, -behindValue.length), 16);
  return prefix > 0 && prefix < network.prefix && isWithin(coveringOf(network, prefix), key);
}

function isIn({ ranges, accepts }: Part, watched: Watched, key: string): boolean {
  for (const range of ranges) if (isWithin(range, key)) return accepts?.(watched) ?? true;
  return false;
}

function isWithin({ gt, lt }: KeyRange, key: string): boolean {
  return isBehind(key, gt) && isBehind(lt, key);
}
