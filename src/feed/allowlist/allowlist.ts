import type { Clock } from '../../clock.ts';
import { formatNetwork } from '../../indicator/address.ts';
import { mailHost } from '../../indicator/email.ts';
import { hostAddress } from '../../indicator/host.ts';
import type { Itype } from '../../indicator/types.ts';
import { splitAtHost } from '../../indicator/url.ts';
import { builtInLists, freeMailDomains, hostingPlatforms } from './built-in.ts';
import type { Entry } from './entry.ts';
import { createNames } from './names.ts';
import { createNetworks, type Family } from './networks.ts';
import { isPublicSuffix } from './public-suffix.ts';
import { createRegister, type Register } from './register.ts';

/** What one list says of one value. `list` is the provider of the allowlist record, or the name of a built-in range. */
export type AllowMatch = { readonly list: string; readonly entry: string };

export type AllowVerdict = {
  /** The first that keeps it out of every feed; undefined: it may enter. */
  readonly suppressedBy: AllowMatch | undefined;
  /** What is said about it without keeping it out: cloud ranges, CDNs, dynamic DNS, hosting platforms. */
  readonly context: readonly AllowMatch[];
};

export interface Allowlist {
  /** Of a canonical value. */
  check(itype: Itype, indicator: string): AllowVerdict;
  /** Changes with every change of an entry: what was checked under an older one is to be checked anew. */
  version(): number;
  /** Values that have an entry, without what is built in. */
  size(): number;
}

/** An allowlist that follows the records. */
export type LiveAllowlist = Allowlist & Pick<Register, 'put' | 'remove'>;

/** Matches of context that one look at a host or a network tells: a network may hold thousands of a cloud's. */
export const contextMax = 20;

const platforms = createNames(new Map([...hostingPlatforms].map((name) => [name, name])));
for (const name of hostingPlatforms) platforms.note(name);

const nothing: AllowVerdict = { suppressedBy: undefined, context: [] };

/** An allowlist with what is built in and no more. docs/allowlist.md says what matches what, and why. */
export function createAllowlist(clock: Pick<Clock, 'wallMs'>): LiveAllowlist {
  const networks = createNetworks();
  const register = createRegister(clock, {
    added(itype, entry) {
      if (isFamily(itype)) networks.add(itype, entry);
      else if (itype === 'fqdn') names.note(entry.indicator);
    },
    retired(itype, entry) {
      if (isFamily(itype)) networks.noteRetired(itype, entry);
    },
  });
  const names = createNames(register.entriesOf('fqdn'));

  function checkNetwork(family: Family, indicator: string): AllowVerdict {
    const { keeper, context } = networks.find(family, indicator, contextMax);
    if (keeper === undefined && context.length === 0) return nothing;
    const suppressedBy = keeper && match(keeper.says.suppressor, keeper);
    if (context.length === 0) return { suppressedBy, context: nothing.context };
    const told: AllowMatch[] = [];
    for (const entry of context) tell(told, entry.says.contexts, entry);
    return { suppressedBy, context: told };
  }

  function checkName(name: string): AllowVerdict {
    const verdict = judge(names.entriesAbove(name), name, false);
    if (verdict.suppressedBy !== undefined || !isPublicSuffix(name)) return verdict;
    // Blocking it would block everyone who has a name below it.
    return { ...verdict, suppressedBy: { list: builtInLists.publicSuffix, entry: name } };
  }

  /** Of what is at a host: a URL, a mailbox. `guest`: what says that it is a stranger's, whatever the entries say. */
  function checkHost(host: string, guest?: AllowMatch): AllowVerdict {
    const address = hostAddress(host);
    if (address !== undefined) return checkNetwork(address.itype, formatNetwork(address));
    const above = names.entriesAbove(host);
    const [platform] = platforms.entriesAbove(host);
    const builtIn =
      platform === undefined ? undefined : { list: builtInLists.hostingPlatform, entry: platform };
    const told = guest ?? builtIn;
    const isHosting = told !== undefined || above.some((entry) => contextsAt(entry, host).length > 0);
    const verdict = judge(above, host, isHosting);
    if (told === undefined) return verdict;
    return { suppressedBy: verdict.suppressedBy, context: [told, ...verdict.context] };
  }

  function checkMail(email: string): AllowVerdict {
    const host = mailHost(email);
    const isFree = freeMailDomains.has(host);
    return checkHost(host, isFree ? { list: builtInLists.freeMail, entry: host } : undefined);
  }

  /** What is said of the value itself goes before what is said of where it is. */
  function withExact(itype: Itype, indicator: string, verdict: AllowVerdict): AllowVerdict {
    const entry = register.entriesOf(itype).get(indicator);
    if (entry === undefined) return verdict;
    const context: AllowMatch[] = [];
    tell(context, entry.says.contexts, entry);
    context.push(...verdict.context);
    return { suppressedBy: match(entry.says.suppressor, entry) ?? verdict.suppressedBy, context };
  }

  return {
    check(itype, indicator) {
      register.expire();
      switch (itype) {
        case 'ipv4':
        case 'ipv6':
          return checkNetwork(itype, indicator);
        case 'fqdn':
          return checkName(indicator);
        case 'url':
          return withExact(itype, indicator, checkHost(splitAtHost(indicator).host));
        case 'email':
          return withExact(itype, indicator, checkMail(indicator));
        default:
          return withExact(itype, indicator, nothing);
      }
    },
    version() {
      register.expire();
      return register.version();
    },
    size() {
      register.expire();
      return register.size();
    },
    put: register.put,
    remove: register.remove,
  };
}

/**
 * What the entries at a name and above it say.
 * @param isHosting what is judged belongs to strangers who are guests at the name: being vouched for is then the name's alone
 */
function judge(above: readonly Entry[], name: string, isHosting: boolean): AllowVerdict {
  if (above.length === 0) return nothing;
  let suppressedBy: AllowMatch | undefined;
  const context: AllowMatch[] = [];
  for (const entry of above) {
    const { says } = entry;
    const keeper = match(entry.indicator === name ? says.suppressor : says.suppressorBelow, entry);
    if (isHosting) {
      suppressedBy ??= match(says.suppressorOfAll, entry);
      if (keeper !== undefined) context.push(keeper);
    } else suppressedBy ??= keeper;
    tell(context, contextsAt(entry, name), entry);
  }
  return { suppressedBy, context };
}

function contextsAt({ indicator, says }: Entry, name: string): readonly string[] {
  return indicator === name ? says.contexts : says.contextsBelow;
}

/** Adds what these lists say. A value may have any number of providers. */
function tell(context: AllowMatch[], lists: readonly string[], { indicator }: Entry): void {
  for (const list of lists) {
    if (context.length >= contextMax) return;
    context.push({ list, entry: indicator });
  }
}

function match(list: string | undefined, { indicator }: Entry): AllowMatch | undefined {
  return list === undefined ? undefined : { list, entry: indicator };
}

function isFamily(itype: Itype): itype is Family {
  return itype === 'ipv4' || itype === 'ipv6';
}
