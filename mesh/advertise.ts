import { outwardAddress } from './discovery/interfaces.ts';
import { endpointOf, parseEndpoint } from './endpoint.ts';
import { MeshError } from './errors.ts';

/** What peers are told of where we listen: a host, and a port where it differs from the one that is bound. */
export type Advertised = { readonly host: string; readonly port: number | undefined };

/** `host`, `host:port`, an IPv6 address alone or `[address]:port`. Throws MeshError BAD_ENDPOINT. */
export function parseAdvertised(text: string): Advertised {
  const withPort = parseEndpoint(`tcp://${text}`);
  if (withPort.ok) return withPort.value;
  const alone = parseEndpoint(endpointOf(text, 1));
  if (!alone.ok) throw new MeshError('BAD_ENDPOINT', `peers cannot be told ${text}: host or host:port`);
  return { host: alone.value.host, port: undefined };
}

/**
 * The endpoint to tell of. Nobody can dial 0.0.0.0 or ::, so that without a word of our user the address of an interface
 * takes its place.
 */
export function advertisedEndpoint(bound: string, advertised: Advertised | undefined): string {
  const at = parseEndpoint(bound);
  // Simulated hosts and other transports have endpoints of their own kind.
  if (!at.ok) return bound;
  const { host, port } = at.value;
  if (advertised) return endpointOf(advertised.host, advertised.port ?? port);
  return host === '0.0.0.0' || host === '::' ? endpointOf(outwardAddress(), port) : bound;
}
