/**
 * How records answer a question about a value although it is not theirs:
 * - `covers`: a network that the address or network lies in
 * - `inside`: an address or network within the network
 * - `subdomain`: a name below the domain
 * - `url`, `email`: a URL or an e-mail address at the domain, and at the names below it when `subdomain` is asked for too
 * - `host`: the host of the URL, or the domain of the e-mail address
 */
export const relations = ['covers', 'inside', 'subdomain', 'url', 'email', 'host'] as const;
export type Relation = (typeof relations)[number];
export type Related = ReadonlySet<Relation>;

export const everyRelation: Related = new Set(relations);
export const noRelation: Related = new Set();

/** Why a record is in an answer: it is of the value itself, it fits the pattern, or it is related. */
export type Match = 'exact' | 'pattern' | Relation;
