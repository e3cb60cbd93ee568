import type { Statement } from './statement.ts';

/** One value of the allowlist and what all providers together say of it. */
export type Entry = {
  readonly indicator: string;
  readonly says: Says;
  /** Set when another entry took its place, or none did. */
  retired: boolean;
};

/**
 * Statements about one value, by provider and group, and what follows from them. A list is named by its provider; where
 * several say the same, the first in the order of names is the one that is told, so that all nodes tell the same.
 */
export type Says = {
  readonly statements: readonly Statement[];
  /** Keeps out the value itself. */
  readonly suppressor: string | undefined;
  /** Keeps out the names below it. */
  readonly suppressorBelow: string | undefined;
  /** Keeps out what lies below even where a hosting platform does. */
  readonly suppressorOfAll: string | undefined;
  readonly contexts: readonly string[];
  readonly contextsBelow: readonly string[];
};

/** @param isSuffix whether the value is a public suffix: what is below one belongs to others */
export function sayTogether(statements: readonly Statement[], isSuffix: boolean): Says {
  const suppressing = statements.filter(({ suppresses }) => suppresses);
  const all = suppressing.find(({ reach }) => reach === 'all');
  const below = isSuffix ? all : suppressing.find(({ reach }) => reach !== 'itself');
  const context = statements.filter(({ suppresses }) => !suppresses);
  return {
    statements,
    suppressor: suppressing[0]?.provider,
    suppressorBelow: below?.provider,
    suppressorOfAll: all?.provider,
    contexts: listsOf(context),
    contextsBelow: listsOf(context.filter(({ reach }) => reach !== 'itself')),
  };
}

function listsOf(statements: readonly Statement[]): readonly string[] {
  if (statements.length === 0) return none;
  return [...new Set(statements.map(({ provider }) => provider))];
}

const none: readonly string[] = [];
