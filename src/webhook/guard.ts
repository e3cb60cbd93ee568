import ipaddr from 'ipaddr.js';
import { specialPurpose } from '../indicator/special-purpose.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import { webhookLimits } from './limits.ts';

/** What the configuration lets webhooks reach although it is not public. */
export type Allowed = {
  /** Lower case, without a trailing dot. */
  readonly names: ReadonlySet<string>;
  readonly networks: readonly Network[];
};

type Network = ReturnType<typeof ipaddr.parseCIDR>;
type Address = Network[0];

export type GuardCode = 'bad-url' | 'not-public';

/** Reads host names, addresses and networks; the schema of the setting has checked them. */
export function allowedFrom(entries: readonly string[]): Allowed {
  const names = new Set<string>();
  const networks: Network[] = [];
  for (const entry of entries) {
    if (ipaddr.isValidCIDR(entry)) networks.push(ipaddr.parseCIDR(entry));
    else if (ipaddr.isValid(entry)) {
      const address = ipaddr.process(entry);
      networks.push([address, address.kind() === 'ipv4' ? 32 : 128]);
    } else names.add(nameOf(entry));
  }
  return { names, networks };
}

/**
 * A webhook's URL, or why there can be none: http or https, no user and no password in it, no fragment, and a host that is
 * a name or an address. The host's address is checked by `usableAddresses`, whatever its spelling: `new URL` has made one
 * of all (WHATWG URL, section 3.5), `2130706433` and `0x7f.1` among them.
 */
export function parseTarget(text: string): Parsed<URL, GuardCode> {
  if (text.length > webhookLimits.urlCharactersMax)
    return refuse('bad-url', `the URL is longer than ${webhookLimits.urlCharactersMax} characters`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return refuse('bad-url', 'allowed is an absolute URL that begins with https:// or http://');
  if (url.username !== '' || url.password !== '') {
    return refuse('bad-url', 'allowed is a URL without a user and a password: put a token into its path');
  }
  if (url.hostname === '') return refuse('bad-url', 'the URL names no host');
  url.hash = '';
  return accept(url);
}

/** The host of a URL as an address, when it is written as one. */
export function literalHost({ hostname }: URL): string | undefined {
  const text = hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(text) ? text : undefined;
}

/**
 * Those of a host's addresses that a request may go to: public ones, and what the configuration allows by name, address or
 * network. Refuses when none is left, with the first reason.
 */
export function usableAddresses(
  { hostname }: URL,
  addresses: readonly string[],
  allowed: Allowed,
): Parsed<readonly string[], GuardCode> {
  const named = allowed.names.has(nameOf(hostname));
  const usable: string[] = [];
  let first: string | undefined;
  for (const text of addresses) {
    const reason = named ? undefined : whyNotPublic(text, allowed);
    if (reason === undefined) usable.push(text);
    else first ??= reason;
  }
  if (usable.length > 0) return accept(usable);
  return refuse(
    'not-public',
    `${hostname}: ${first ?? 'it has no address'}. Webhooks go to public addresses only; --webhook-allow names others`,
  );
}

function whyNotPublic(text: string, { networks }: Allowed): string | undefined {
  // A zone names an interface of this machine.
  if (!ipaddr.isValid(text) || text.includes('%')) return `${text} is no address`;
  const address = ipaddr.process(text);
  if (networks.some((network) => isWithin(address, network))) return undefined;
  const canonical = address.toString();
  const special = specialPurpose(address.kind(), canonical);
  if (special !== undefined) return `${canonical} is ${special}`;
  if (address.range() !== 'unicast') return `${canonical} is ${address.range()}`;
  // All that IANA gives out as global unicast; what embeds an IPv4 address elsewhere is not.
  if (address.kind() === 'ipv6' && !isWithin(address, globalUnicast))
    return `${canonical} is not global unicast (RFC 4291)`;
  return undefined;
}

const globalUnicast = ipaddr.parseCIDR('2000::/3');

function isWithin(address: Address, network: Network): boolean {
  return address.kind() === network[0].kind() && address.match(network);
}

function nameOf(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
