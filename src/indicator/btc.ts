import { hash } from 'node:crypto';

import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import { quote } from './quote.ts';

const base58Digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** P2PKH begins with 1, P2SH with 3. */
const base58Outline = /^[13][1-9A-HJ-NP-Za-km-z]{25,34}$/;
const segwitOutline = /^bc1[a-z\d]{6,87}$/i;

/** Whether a text has the outline of an address of Bitcoin's main network; its checksum says whether it is one. */
export function looksLikeBtc(text: string): boolean {
  return base58Outline.test(text) || segwitOutline.test(text);
}

/**
 * An address of Bitcoin's main network whose checksum holds: P2PKH and P2SH in base58check, whose case is part of the
 * address; segregated witness in bech32 (version 0) and bech32m (1 to 16), all in one case and canonically in lower case
 * (BIP 173, BIP 350).
 */
export function canonicalBtc(text: string): Parsed<string, 'bad-btc'> {
  if (base58Outline.test(text) && isBase58Check(text)) return accept(text);
  if (!segwitOutline.test(text)) return refuseBtc(text);
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) {
    return refuse(
      'bad-btc',
      `${quote(text)} mixes upper and lower case, which BIP 173 forbids; send one case`,
    );
  }
  return isSegwit(lower) ? accept(lower) : refuseBtc(text);
}

function refuseBtc(text: string): Parsed<never, 'bad-btc'> {
  return refuse(
    'bad-btc',
    `${quote(text)} is no Bitcoin address: its form or its checksum is wrong; allowed are addresses of the main network ` +
      'that begin with 1, 3 or bc1',
  );
}

const versions: ReadonlySet<number> = new Set([0x00, 0x05]);
const payloadBytes = 21;
const checksumBytes = 4;

/** A version, 20 bytes, and the first four bytes of the double SHA-256 of both. */
function isBase58Check(text: string): boolean {
  let number = 0n;
  for (const digit of text) number = number * 58n + BigInt(base58Digits.indexOf(digit));
  const hex = number.toString(16).padStart((payloadBytes + checksumBytes) * 2, '0');
  const bytes = Buffer.from(hex, 'hex');
  const zeros = /^1*/.exec(text)?.[0].length ?? 0;
  // Each leading 1 is one zero byte, so that an address has one spelling.
  if (bytes.length !== payloadBytes + checksumBytes || zeros !== leadingZeros(bytes)) return false;
  const payload = bytes.subarray(0, payloadBytes);
  const digest = hash('sha256', hash('sha256', payload, 'buffer'), 'buffer');
  return (
    versions.has(bytes[0] ?? -1) && digest.subarray(0, checksumBytes).equals(bytes.subarray(payloadBytes))
  );
}

function leadingZeros(bytes: Buffer): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? bytes.length : first;
}

const bech32Digits = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
/** What the checksum comes out as: BIP 173 for witness version 0, BIP 350 for the later ones. */
const bech32Mark = 1;
const bech32mMark = 0x2bc830a3;
/** `bc` as the checksum takes it: the high bits, a zero, the low bits. */
const prefixValues = [3, 3, 0, 2, 3];

function isSegwit(lower: string): boolean {
  const values = [...lower.slice('bc1'.length)].map((digit) => bech32Digits.indexOf(digit));
  const [version = 32, ...rest] = values;
  const program = rest.slice(0, -6);
  if (values.includes(-1) || version > 16) return false;
  if (checksum([...prefixValues, ...values]) !== (version === 0 ? bech32Mark : bech32mMark)) return false;
  const bytes = Math.floor((program.length * 5) / 8);
  const spareBits = (program.length * 5) % 8;
  // The bits that do not fill a byte are fewer than five, and zero.
  if (spareBits > 4 || ((program.at(-1) ?? 0) & ((1 << spareBits) - 1)) !== 0) return false;
  return version === 0 ? bytes === 20 || bytes === 32 : bytes >= 2 && bytes <= 40;
}

function checksum(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of generators.entries()) if ((top >>> bit) & 1) sum ^= generator;
  }
  return sum;
}
