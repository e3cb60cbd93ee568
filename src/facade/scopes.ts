import { may, type Principal, type Scope } from '../access/tokens.ts';
import { Problem } from './problem.ts';

/** Throws Problem 403 unless the token has one of the scopes, which it names. */
export function requireScope(principal: Principal, ...anyOf: readonly Scope[]): void {
  if (may(principal, ...anyOf)) return;
  throw new Problem(403, `the token of ${principal.name} lacks the scope ${anyOf.join(' or ')}`);
}
