import { isIP, isIPv6 } from 'node:net';
import { accept, type Parsed, refuse } from './parsed.ts';

/** A TCP endpoint taken apart. */
export type HostPort = { readonly host: string; readonly port: number };

/** `tcp://`, a host name of 253 characters at most (RFC 1035 2.3.4) or an address in brackets, `:`, a port. */
const endpointCharactersMax = 270;
const form = /^tcp:\/\/(?:\[([^\]]+)\]|([^:/[\]]+)):(\d{1,5})$/;
const hostName = /^(?=.{1,253}$)(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?$/i;

/** `tcp://host:port`, the host an IPv4 address, an IPv6 address in brackets, or a name. */
export function parseEndpoint(text: string): Parsed<HostPort, 'bad-endpoint'> {
  if (text.length > endpointCharactersMax) return refuse('bad-endpoint');
  const match = form.exec(text);
  if (match === null) return refuse('bad-endpoint');
  const [, ipv6, name, digits] = match;
  const port = Number(digits);
  const host = ipv6 ?? name ?? '';
  if (port < 1 || port > 65_535) return refuse('bad-endpoint');
  const isHost = ipv6 === undefined ? isHostName(host) : isIPv6(ipv6);
  return isHost ? accept({ host, port }) : refuse('bad-endpoint');
}

/** `port` is a number, or `*` for any that is free. */
export function endpointOf(host: string, port: number | '*'): string {
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** A name of DNS, or an IPv4 address: those are spelled alike. */
export function isHostName(text: string): boolean {
  return hostName.test(text);
}

/** Whether the host is an address, and needs nobody to resolve it. */
export function isAddress(host: string): boolean {
  return isIP(host) !== 0;
}
