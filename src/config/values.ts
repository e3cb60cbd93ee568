import { isIP } from 'node:net';
import { z } from 'zod';

import { configLimits } from './limits.ts';

// A value comes as text from a flag or a variable, and as a number, boolean or list from YAML. Each schema takes both and
// nothing else: z.coerce would read '' and [] as 0.

/** A TCP or UDP port. 0, where it is allowed, means any free one. */
export function port(lowest: 0 | 1) {
  return whole(lowest, 65_535);
}

/** A whole number in a range. */
export function whole(lowest: number, highest: number) {
  return z.preprocess(
    (value) => (typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value),
    z.number().int().min(lowest).max(highest),
  );
}

const hostName = /^(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/i;

/** An address to bind: IPv4, IPv6, or a host name. */
export const host = z
  .string()
  .max(253)
  .refine((text) => isIP(text) !== 0 || hostName.test(text));

export const flag = z.preprocess((value) => {
  if (value === 'true' || value === '1' || value === 'yes') return true;
  if (value === 'false' || value === '0' || value === 'no') return false;
  return value;
}, z.boolean());

export const path = z.string().min(1).max(configLimits.pathCharactersMax);

export const nodeName = z
  .string()
  .max(configLimits.nameCharactersMax)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);

const secretKeyBytes = 32;

/** A key of the mesh or of the stream: 32 bytes as base64url, which `tocsin keygen` makes. */
export const secretKey = z
  .string()
  .regex(/^[\w-]{43}$/)
  .transform((text) => Buffer.from(text, 'base64url'))
  .refine((key) => key.length === secretKeyBytes);

/** Where other nodes' gossip answers: an endpoint, or a name of DNS that stands for some. */
export const seeds = z.preprocess(
  splitAtCommas,
  z
    .array(z.string().refine((text) => isTcpEndpoint(text) || isDnsSeed(text)))
    .max(configLimits.seedsMax)
    .readonly(),
);

/** The ways of finding other nodes. */
export const discovery = z.preprocess(
  splitAtCommas,
  z
    .array(z.enum(['beacon', 'mdns', 'gossip', 'dns']))
    .min(1)
    .max(8)
    .transform((names) => [...new Set(names)])
    .readonly(),
);

/** A host, or a host and a port, that peers are told. */
export const advertised = z
  .string()
  .max(270)
  .refine((text) => isIP(text) !== 0 || hostName.test(text) || isTcpEndpoint(`tcp://${text}`))
  .refine((text) => !/^(?:0\.0\.0\.0|\[?::\]?)(?::\d+)?$/.test(text), {
    error: 'nobody can dial it: name an address or a host that peers reach',
  });

/** Host names, addresses and networks. */
export const allowedHosts = z.preprocess(
  splitAtCommas,
  z
    .array(z.string().refine((text) => isIP(text) !== 0 || isNetwork(text) || isName(text)))
    .max(configLimits.webhookAllowMax)
    .readonly(),
);

function isNetwork(text: string): boolean {
  const [address = '', prefix = '', ...rest] = text.split('/');
  const version = isIP(address);
  return (
    rest.length === 0 &&
    version !== 0 &&
    /^\d{1,3}$/.test(prefix) &&
    Number(prefix) <= (version === 4 ? 32 : 128)
  );
}

/** Whose last label is no number: that would be an address that is written wrong. */
function isName(text: string): boolean {
  return text.length <= 253 && hostName.test(text) && !/(?:^|\.)\d+$/.test(text);
}

function splitAtCommas(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function isTcpEndpoint(text: string): boolean {
  const match = /^tcp:\/\/(?:\[([^\]]+)\]|([^:/[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return false;
  const [, ipv6, name, portText] = match;
  const portNumber = Number(portText);
  if (portNumber < 1 || portNumber > 65_535) return false;
  return ipv6 === undefined ? name !== undefined && hostName.test(name) : isIP(ipv6) === 6;
}

/** `dns://name:port`, or `dns://_service._tcp.name` whose SRV records have the ports. */
function isDnsSeed(text: string): boolean {
  if (!text.startsWith('dns://')) return false;
  const rest = text.slice('dns://'.length);
  if (rest.includes(':'))
    return isTcpEndpoint(`tcp://${rest}`) && isIP(rest.slice(0, rest.indexOf(':'))) === 0;
  const [, service = '', name = ''] = /^(_[a-z0-9-]{1,62}\._tcp)\.(.+)$/i.exec(rest) ?? [];
  return service !== '' && hostName.test(name);
}
