import type { Itype } from '../indicator/types.ts';

export type Value = { readonly itype: Itype; readonly indicator: string };

/** Which values changed, in order, as many as are kept. */
export interface ChangedValues {
  push(itype: Itype, indicator: string): void;
  /** How many were pushed. */
  position(): number;
  /** Those after `position`; undefined when they are not all known any more. */
  since(position: number): readonly Value[] | undefined;
  /** All that is known is no longer enough: the records were replaced. */
  forget(): void;
}

export function createChangedValues(valuesMax: number): ChangedValues {
  let values: Value[] = [];
  /** How many went before the first of them. */
  let before = 0;
  return {
    push(itype, indicator) {
      // A part of a batch's text keeps the whole of it alive; a copy does not.
      values.push({ itype, indicator: Buffer.from(indicator).toString() });
      if (values.length <= 2 * valuesMax) return;
      before += values.length - valuesMax;
      values = values.slice(-valuesMax);
    },
    position: () => before + values.length,
    since: (position) => (position < before ? undefined : values.slice(position - before)),
    forget() {
      before += values.length + 1;
      values = [];
    },
  };
}
