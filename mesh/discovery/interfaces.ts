import { BlockList, isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** An IPv4 address of this machine and the network that it is in. */
export type Network = {
  /** The interface's name, e.g. `eth0`. */
  readonly name: string;
  readonly address: string;
  readonly prefixBits: number;
  readonly broadcast: string;
  /** The card's address: a card that is unplugged and replaced has another one. */
  readonly mac: string;
};

/**
 * The networks that a host stands for, as they are now; an interface that is down is absent. The host is an address, the name
 * of an interface, 0.0.0.0 or :: (every interface but loopback), or an address of 127.0.0.0/8 or `localhost` (loopback).
 */
export function networksOf(host: string): readonly Network[] {
  const wanted = host === 'localhost' ? '127.0.0.1' : host;
  const isEvery = wanted === '0.0.0.0' || wanted === '::';
  const found: Network[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { family, address, netmask, internal, mac, cidr } of addresses ?? []) {
      if (family !== 'IPv4' || cidr === null) continue;
      const isMeant = isEvery
        ? !internal
        : name === wanted || address === wanted || (internal && isLoopback(wanted));
      if (!isMeant) continue;
      const prefixBits = Number(cidr.slice(cidr.indexOf('/') + 1));
      found.push({ name, address, prefixBits, broadcast: broadcastOf(address, netmask), mac });
    }
  }
  return found;
}

/** Whether an IPv4 address lies in one of the networks. */
export function isWithin(address: string, networks: readonly Network[]): boolean {
  if (!isIPv4(address)) return false;
  const list = new BlockList();
  for (const network of networks) list.addSubnet(network.address, network.prefixBits);
  return list.check(address);
}

/**
 * The address that other machines reach this one by, as far as it can tell: of the first interface that is up and is not
 * loopback, IPv4 before IPv6, and addresses of the link alone last. 127.0.0.1 on a machine without a network.
 */
export function outwardAddress(): string {
  const candidates = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family, address }) => !internal && !(family === 'IPv6' && isLinkLocal(address)));
  const best =
    candidates.find(({ family, address }) => family === 'IPv4' && !isLinkLocal(address)) ??
    candidates.find(({ family }) => family === 'IPv6') ??
    candidates[0];
  return best?.address ?? '127.0.0.1';
}

/** Whether an address is one of this machine's own. */
export function isOwnAddress(address: string): boolean {
  if (isLoopback(address) || address === '::1') return true;
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some((own) => own.address === address),
  );
}

export function isLoopback(address: string): boolean {
  return address.startsWith('127.');
}

/** RFC 3927, RFC 4291 2.5.6. */
function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
}

function broadcastOf(address: string, netmask: string): string {
  const mask = netmask.split('.').map(Number);
  return address
    .split('.')
    .map((part, i) => Number(part) | (~(mask[i] ?? 255) & 0xff))
    .join('.');
}
