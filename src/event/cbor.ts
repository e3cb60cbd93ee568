import { Encoder } from 'cbor-x';

/** Plain CBOR that any library reads: no tags, no records, byte strings untagged. Strangers' bytes pass scanCbor first. */
const codec = new Encoder({ useRecords: false, tagUint8Array: false, mapsAsObjects: true, useFloat32: 0 });

export function encodeCbor(value: unknown): Uint8Array {
  return codec.encode(value);
}

/** Byte strings in the result are views of `bytes`. */
export function decodeCbor(bytes: Uint8Array): unknown {
  return codec.decode(bytes);
}
