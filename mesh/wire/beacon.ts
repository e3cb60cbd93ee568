import type { PeerId } from '../ids.ts';
import { peerIdFromBytes, peerIdToBytes } from '../ids.ts';
import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';

/**
 * A UDP beacon: "peer `id` listens at TCP `port` of the address that this came from". Port 0 says goodbye.
 * Version 1 is RFC 36's; version 3 is libzyre's with CURVE and adds the 32 raw bytes of the public key.
 * Each kind of node ignores the other's beacons.
 */
export type Beacon =
  | { readonly version: 1; readonly id: PeerId; readonly port: number }
  | { readonly version: 3; readonly id: PeerId; readonly port: number; readonly publicKey: Uint8Array };

/** `bad-version`: not 1 in 22 bytes, nor 3 in 54 bytes. */
export type BeaconRefusal = 'bad-size' | 'bad-prefix' | 'bad-version';

const prefix = Buffer.from('ZRE');
const versionAt = 3;
const idAt = 4;
const portAt = 20;
const publicKeyAt = 22;
const plainBytes = 22;
const curveBytes = 54;

/** 22 or 54 bytes. Throws RangeError for a port above 65,535 or a key that has not 32 bytes. */
export function encodeBeacon(beacon: Beacon): Uint8Array {
  const bytes = Buffer.alloc(beacon.version === 1 ? plainBytes : curveBytes);
  prefix.copy(bytes);
  bytes.writeUInt8(beacon.version, versionAt);
  bytes.set(peerIdToBytes(beacon.id), idAt);
  bytes.writeUInt16BE(beacon.port, portAt);
  if (beacon.version === 3) {
    if (beacon.publicKey.length !== 32) {
      throw new RangeError(`a CURVE public key has 32 bytes, not ${beacon.publicKey.length}`);
    }
    bytes.set(beacon.publicKey, publicKeyAt);
  }
  return bytes;
}

/** Reads one datagram; never throws. The size is exact: libzyre ignores 23 bytes, and so do we. */
export function decodeBeacon(bytes: Uint8Array): Parsed<Beacon, BeaconRefusal> {
  if (bytes.length !== plainBytes && bytes.length !== curveBytes) return refuse('bad-size');
  if (prefix.compare(bytes, 0, prefix.length) !== 0) return refuse('bad-prefix');
  const version = bytes[versionAt];
  const id = peerIdFromBytes(bytes.subarray(idAt, portAt));
  const port = new DataView(bytes.buffer, bytes.byteOffset).getUint16(portAt);
  if (version === 1 && bytes.length === plainBytes) return accept({ version, id, port });
  if (version === 3 && bytes.length === curveBytes) {
    // A copy: the datagram's buffer belongs to the socket.
    return accept({ version, id, port, publicKey: new Uint8Array(bytes.subarray(publicKeyAt)) });
  }
  return refuse('bad-version');
}
