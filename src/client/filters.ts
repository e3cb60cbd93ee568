/** One of several, or a list: `a,b` and `['a', 'b']` are any of them; `!a` is without it. */
export type Choice = string | readonly string[];

/** What all questions, feeds and streams can be narrowed by; the names are the HTTP interface's (docs/queries.md). */
export type Filters = {
  readonly itype?: Choice | undefined;
  readonly tags?: Choice | undefined;
  /** At least 8: `8`; from 3 to 7: `'3,7'`. */
  readonly confidence?: number | string | undefined;
  readonly provider?: Choice | undefined;
  readonly group?: Choice | undefined;
  readonly asn?: Choice | undefined;
  readonly cc?: Choice | undefined;
  readonly tlp?: Choice | undefined;
};

/** What questions and feeds can be narrowed by as well. */
export type Window = {
  readonly days?: number | string | undefined;
  readonly hours?: number | string | undefined;
  /** `start,end`, of which one may be empty: last seen at the source in this time. */
  readonly observed?: string | undefined;
  /** The same of the time of the last report to the mesh. */
  readonly reported?: string | undefined;
};

/** Where an answer begins, and how long it is. */
export type Paging = {
  readonly limit?: number | string | undefined;
  /** `meta.next` of the page before. */
  readonly cursor?: string | undefined;
};

type Value = Choice | number | boolean | undefined;

/** Options as query parameters; those that are undefined or false are left out, true is 1. */
export function queryOf(options: Readonly<Record<string, Value>>): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === false) continue;
    query.set(name, value === true ? '1' : String(value));
  }
  return query;
}
