import type { Search } from '../event/document.ts';
import { type Filter, isChosen, matches } from '../query/filter.ts';
import { type Watch, type Watched, watchKeyOf } from '../query/watch.ts';
import type { Change } from '../store/store.ts';
import type { Stretch } from './late-arrivals.ts';
import { type Subject, subjectOf, type Topic } from './subject.ts';

/** What a reader wants of the stream. An absent part narrows nothing. */
export type StreamFilter = {
  readonly kinds?: readonly Topic[];
  /** Values, networks or names that are watched. */
  readonly watch?: Watch;
  readonly filter?: Filter;
  /**
   * Of what lies up to a position only that which was made since, or came late: a reader from another node has seen the rest.
   */
  readonly since?: { readonly ms: number; readonly upTo: number; readonly late?: readonly Stretch[] };
};

/** A change, with what many readers look at worked out once. */
export type Offered = { readonly change: Change; readonly subject: Subject | undefined; watchKey(): string };

export function offer(change: Change): Offered {
  const subject = subjectOf(change);
  let key: string | undefined;
  return {
    change,
    subject,
    watchKey() {
      const watched = subject === undefined ? undefined : watchedOf(subject);
      key ??= watched === undefined ? '' : watchKeyOf(watched);
      return key;
    },
  };
}

export function isWanted({ kinds, watch, filter, since }: StreamFilter, offered: Offered): boolean {
  const { subject, change } = offered;
  if (subject === undefined) return false;
  if (kinds !== undefined && !kinds.includes(subject.topic)) return false;
  if (filter !== undefined && !passes(filter, subject)) return false;
  if (watch !== undefined) {
    const watched = watchedOf(subject);
    if (watched === undefined || !watch(watched, offered.watchKey())) return false;
  }
  return since === undefined || change.position > since.upTo || isSince(since, change.position, subject);
}

function passes(filter: Filter, subject: Subject): boolean {
  return subject.topic === 'search' ? passesSearch(filter, subject.search) : matches(filter, subject.record);
}

/** Who asked is its provider. What it does not have it does not pass by. */
function passesSearch(
  { itypes, provider, confidence, tags, group, asn, cc, tlp }: Filter,
  { itype, by }: Search,
): boolean {
  if (itypes !== undefined && (itype === undefined || !itypes.includes(itype))) return false;
  if (confidence !== undefined || !isChosen(provider, [by])) return false;
  return [tags, group, asn, cc, tlp].every((choice) => isChosen(choice, []));
}

/** A pattern that somebody searched for is no value. */
function watchedOf(subject: Subject): Watched | undefined {
  if (subject.topic !== 'search') return subject.record;
  const { q, itype } = subject.search;
  return itype === undefined ? undefined : { itype, indicator: q };
}

/** Nodes find at different times what has expired, so of that nothing is left out. */
function isSince(
  { ms, late = [] }: NonNullable<StreamFilter['since']>,
  position: number,
  subject: Subject,
): boolean {
  if (subject.topic === 'expire' || subject.ms >= ms) return true;
  return late.some(({ from, to }) => from <= position && position <= to);
}
