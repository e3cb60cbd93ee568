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

const meshKeyBytes = 32;

/** 32 bytes as base64url, which `tocsin keygen` makes. */
export const meshKey = z
  .string()
  .regex(/^[\w-]{43}$/)
  .transform((text) => Buffer.from(text, 'base64url'))
  .refine((key) => key.length === meshKeyBytes);

/** Where other nodes' gossip answers. A scheme that a later release brings is refused by name. */
export const seeds = z.preprocess(
  splitAtCommas,
  z
    .array(
      z.string().superRefine((text, context) => {
        if (text.startsWith('dns://')) {
          context.addIssue({
            code: 'custom',
            message: `${text} needs DNS discovery, which is not in this release. Name the node as tcp://host:port.`,
          });
        } else if (!isTcpEndpoint(text)) {
          context.addIssue({ code: 'invalid_format', format: 'tcp://host:port' });
        }
      }),
    )
    .max(configLimits.seedsMax)
    .readonly(),
);

const laterDiscovery = new Set(['mdns', 'dns']);

/** The ways of finding other nodes; `mdns` and `dns` are refused by name. */
export const discovery = z.preprocess(
  splitAtCommas,
  z
    .array(
      z.string().superRefine((text, context) => {
        if (laterDiscovery.has(text)) {
          context.addIssue({
            code: 'custom',
            message: `${text} is not in this release. Use beacon on one network, or gossip with seeds across networks.`,
          });
        }
      }),
    )
    .min(1)
    .max(8)
    .pipe(z.array(z.enum(['beacon', 'gossip'])))
    .transform((names) => [...new Set(names)])
    .readonly(),
);

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
