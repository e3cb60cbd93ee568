import type { Address } from '../discovery/discovery.ts';
import { publicKeyHeader } from '../security/hello.ts';
import type { Hello } from '../wire/message.ts';
import type { Self } from './peer.ts';

/** The address that a HELLO names. */
export function addressIn({ endpoint, headers }: Hello, self: Self): Address {
  const isClear = self.introductions[0].publicKey === undefined;
  return { endpoint, publicKey: isClear ? undefined : headers.get(publicKeyHeader) };
}

/**
 * Whether a HELLO's address names another mailbox than the one we dialled. The same port under another host name is the
 * same mailbox: libzyre advertises its host name, which often does not resolve, so the address that we found stays. A peer
 * that has two keys has two ports: of them we only ever move on to the current key's, or two such nodes would chase one
 * another from port to port.
 */
export function hasMoved(dialled: Address, greeted: Address, self: Self): boolean {
  if (portOf(dialled) === portOf(greeted)) return false;
  return greeted.publicKey === dialled.publicKey || greeted.publicKey === self.introductions[0].publicKey;
}

function portOf({ endpoint }: Address): string {
  return endpoint.slice(endpoint.lastIndexOf(':'));
}
