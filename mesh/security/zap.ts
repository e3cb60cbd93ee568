import type { Frames } from '../transport/transport.ts';
import { z85Encode } from './z85.ts';

/*
 * ZAP (ZeroMQ RFC 27): libzmq asks, for each connection, whether it may be. Without a handler it lets everyone in, so a socket
 * with a key must insist on one (zapEnforceDomain).
 *
 *   request = "1.0" request-id domain address identity mechanism *credentials      ; a frame each
 *   reply   = "1.0" request-id status-code status-text user-id metadata
 */
const version = '1.0';
const publicKeyBytes = 32;

/** `isAllowed` is asked for the public key of a client in Z85; whoever came without CURVE is refused. Never throws. */
export function answerZap(
  request: Frames,
  isAllowed: (domain: string, publicKey: string) => boolean,
): readonly (string | Uint8Array)[] {
  const [spoken, requestId = '', domain, , , mechanism, key] = request;
  const allowed =
    text(spoken) === version &&
    text(mechanism) === 'CURVE' &&
    key?.length === publicKeyBytes &&
    isAllowed(text(domain), z85Encode(key));
  return [
    version,
    requestId,
    allowed ? '200' : '400',
    allowed ? 'OK' : 'not a key that gets in here',
    '',
    '',
  ];
}

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('latin1');
}
