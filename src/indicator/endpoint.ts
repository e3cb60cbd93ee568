import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import { observationLimits } from './limits.ts';
import { quote } from './quote.ts';

/** An address or a name, and the port that stood behind it. */
export type Endpoint = { readonly host: string; readonly port?: string };

// An IPv6 address with a port stands in brackets (RFC 5952, section 6). MISP's composite types write a bar: `ip-dst|port`.
const inBrackets = /^\[([^[\]/]*:[^[\]/]*)\](?:[:|](\d{1,5}))?$/;
const withPort = /^([^:|/?#@\s[\]]+)[:|](\d{1,5})$/;

/**
 * Takes the port off `198.51.100.7:443`, `[2001:db8::1]:443` and `example.com:8080`; whatever is none of these comes back
 * whole. The last group of an IPv6 address without brackets is no port.
 */
export function splitPort(text: string): Parsed<Endpoint, 'port'> {
  const [, host, written] = inBrackets.exec(text) ?? withPort.exec(text) ?? [];
  if (host === undefined || !/[.:]/.test(host)) return accept({ host: text });
  if (written === undefined) return accept({ host });
  const port = Number(written);
  if (port <= observationLimits.portMax) return accept({ host, port: String(port) });
  return refuse('port', `${quote(text)} has port ${written}; allowed are 0 to ${observationLimits.portMax}`);
}
