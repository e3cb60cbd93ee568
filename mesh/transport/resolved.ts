import { endpointOf, isAddress, parseEndpoint } from '../endpoint.ts';
import type { Names } from './names.ts';

/**
 * Calls `connect` with the endpoint: at once, or once the host's name has an address, IPv4 before IPv6. libzmq would ask for it
 * in the thread that carries all connections, which so wait for a name server that is slow, and anybody may tell us of a host.
 * A name without an address is left at that: whoever dials has to dial again anyway.
 */
export function connectResolved(endpoint: string, names: Names, connect: (resolved: string) => void): void {
  const at = parseEndpoint(endpoint);
  if (!at.ok || isAddress(at.value.host)) {
    connect(endpoint);
    return;
  }
  const { host, port } = at.value;
  names.addresses(host).then(
    (addresses) => {
      const address = addresses.find((found) => !found.includes(':')) ?? addresses[0];
      if (address !== undefined) connect(endpointOf(address, port));
    },
    () => {},
  );
}
