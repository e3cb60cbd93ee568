/** Z85 (ZeroMQ RFC 32): bytes as printable text, 5 characters for 4 bytes; keys of CURVE are written so. */
const alphabet = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const digitOf = new Map([...alphabet].map((character, value) => [character, value]));

/** Throws RangeError when the length is no multiple of 4. */
export function z85Encode(bytes: Uint8Array): string {
  if (bytes.length % 4 !== 0) throw new RangeError(`Z85 takes a multiple of 4 bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    const word = view.getUint32(at);
    for (let divisor = 85 ** 4; divisor >= 1; divisor /= 85) {
      text += alphabet[Math.floor(word / divisor) % 85];
    }
  }
  return text;
}

/** Undefined for what is no Z85: another alphabet, a length that is no multiple of 5, or a group above 32 bits. */
export function z85Decode(text: string): Uint8Array | undefined {
  if (text.length % 5 !== 0) return undefined;
  const bytes = new Uint8Array((text.length / 5) * 4);
  const view = new DataView(bytes.buffer);
  for (let group = 0; group < text.length / 5; group++) {
    let word = 0;
    for (const character of text.slice(group * 5, group * 5 + 5)) {
      const value = digitOf.get(character);
      if (value === undefined) return undefined;
      word = word * 85 + value;
    }
    if (word > 0xffff_ffff) return undefined;
    view.setUint32(group * 4, word);
  }
  return bytes;
}
