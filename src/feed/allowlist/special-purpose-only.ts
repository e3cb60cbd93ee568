import { specialPurpose } from '../../indicator/special-purpose.ts';
import type { Allowlist } from './allowlist.ts';

/** The IANA special-purpose ranges alone. */
export const specialPurposeOnly: Allowlist = {
  check(itype, indicator) {
    const range = specialPurpose(itype, indicator);
    const suppressedBy = range === undefined ? undefined : { list: 'special-purpose', entry: range };
    return { suppressedBy, context: [] };
  },
  version: () => 0,
  size: () => 0,
};
