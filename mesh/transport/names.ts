import { lookup, Resolver } from 'node:dns/promises';
import type { HostPort } from '../endpoint.ts';

/** What a name stands for. Both reject with an Error whose `code` says why, as node:dns does. */
export interface Names {
  /** A and AAAA. */
  addresses(name: string): Promise<readonly string[]>;
  /** SRV (RFC 2782), best first. */
  services(name: string): Promise<readonly HostPort[]>;
}

/** For SRV: two questions to each server. */
const answerMsMax = 3_000;
const tries = 2;

/**
 * Names as the system resolves them. Hosts go through getaddrinfo, which knows /etc/hosts and search domains: short names of
 * Docker and of Kubernetes need both. It knows no SRV, which is asked of the name servers directly: name those in full.
 */
export function systemNames(): Names {
  return {
    async addresses(name) {
      const found = await lookup(name, { all: true, verbatim: true });
      return found.map(({ address }) => address);
    },
    async services(name) {
      // A new one each time: the servers of /etc/resolv.conf may have changed since.
      const found = await new Resolver({ timeout: answerMsMax, tries }).resolveSrv(name);
      return found
        .sort((a, b) => a.priority - b.priority || b.weight - a.weight)
        .map((record) => ({ host: record.name, port: record.port }));
    },
  };
}
