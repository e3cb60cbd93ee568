import { isUtf8 } from 'node:buffer';

/** Why bytes are no CBOR that we take. */
export type CborRefusal =
  | 'cbor-cut'
  | 'cbor-trailing'
  | 'cbor-kind'
  | 'cbor-depth'
  | 'cbor-items'
  | 'cbor-text';

export type CborLimits = { readonly depthMax: number; readonly itemsMax: number };

/**
 * Checks a stranger's CBOR (RFC 8949) before a decoder sees it: arrays, integers, strings, bytes, false, true, null and
 * floats of definite length, nothing else. Tags can stall or trick a decoder (64 KiB of bignum take seconds, some build objects
 * or compile code), maps can name `__proto__`. Answers undefined when all is well. Takes time that grows with the bytes only.
 */
export function scanCbor(bytes: Uint8Array, limits: CborLimits): CborRefusal | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** Items still to come, one number for each array that is open. */
  const open: number[] = [1];
  let at = 0;
  let items = 0;
  while (open.length > 0) {
    const left = open[open.length - 1] ?? 0;
    if (left === 0) {
      open.pop();
      continue;
    }
    open[open.length - 1] = left - 1;
    if (++items > limits.itemsMax) return 'cbor-items';
    if (at >= bytes.length) return 'cbor-cut';
    const head = view.getUint8(at++);
    const major = head >> 5;
    const info = head & 0x1f;
    // 28 to 30 are reserved, 31 is an indefinite length.
    if (info > 27) return 'cbor-kind';
    const extra = info < 24 ? 0 : 1 << (info - 24);
    if (at + extra > bytes.length) return 'cbor-cut';
    const argument = readArgument(view, at, info);
    at += extra;
    switch (major) {
      case 0:
      case 1:
        break;
      case 2:
      case 3:
        if (argument > bytes.length - at) return 'cbor-cut';
        // Decoders repair bad UTF-8 each in its own way, and nodes must read the same text (RFC 8949, section 5.3.1).
        if (major === 3 && !isText(bytes, at, at + argument)) return 'cbor-text';
        at += argument;
        break;
      case 4:
        if (open.length > limits.depthMax) return 'cbor-depth';
        // Each item takes a byte at least, so a false count shows at once.
        if (argument > bytes.length - at) return 'cbor-cut';
        open.push(argument);
        break;
      case 7:
        // 20 false, 21 true, 22 null, 26 and 27 floats.
        if (info < 20 || (info > 22 && info < 26)) return 'cbor-kind';
        break;
      default:
        return 'cbor-kind';
    }
  }
  return at === bytes.length ? undefined : 'cbor-trailing';
}

/** Of text this short, a look at each byte costs less than a view of it does; nearly all of it is ASCII. */
const shortBytes = 256;

function isText(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= shortBytes) {
    let at = start;
    while (at < end && (bytes[at] ?? 0) < 0x80) at++;
    if (at === end) return true;
  }
  return isUtf8(bytes.subarray(start, end));
}

function readArgument(view: DataView, at: number, info: number): number {
  switch (info) {
    case 24:
      return view.getUint8(at);
    case 25:
      return view.getUint16(at);
    case 26:
      return view.getUint32(at);
    case 27:
      return Number(view.getBigUint64(at));
    default:
      return info;
  }
}
