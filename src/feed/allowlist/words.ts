import { addressBits, readIpv4 } from '../../indicator/address.ts';

/** An address or a network as 32-bit numbers, the highest first: one for IPv4, four for IPv6. Host bits are 0. */
export type Words = { readonly low: readonly number[]; readonly prefix: number };

/** Reads a canonical address or network. Faster than `readNetwork`, whose big numbers cost more than the look-up. */
export function readWords(itype: 'ipv4' | 'ipv6', canonical: string): Words {
  const slash = canonical.indexOf('/');
  const address = slash === -1 ? canonical : canonical.slice(0, slash);
  const prefix = slash === -1 ? addressBits[itype] : Number(canonical.slice(slash + 1));
  if (itype === 'ipv6') return { low: ipv6Words(address), prefix };
  const low = readIpv4(address);
  if (low === undefined) throw new TypeError(`not canonical: ${canonical}`);
  return { low: [low], prefix };
}

/** RFC 5952: groups of hex digits, the missing ones at `::`. */
function ipv6Words(address: string): readonly number[] {
  const gap = address.indexOf('::');
  const head = gap === -1 ? address : address.slice(0, gap);
  const words = [0, 0, 0, 0];
  setGroups(words, head, 0);
  if (gap !== -1) {
    const tail = address.slice(gap + 2);
    setGroups(words, tail, 8 - groupsOf(tail).length);
  }
  return words;
}

function setGroups(words: number[], text: string, first: number): void {
  for (const [i, group] of groupsOf(text).entries()) {
    const at = first + i;
    const bits = Number.parseInt(group, 16);
    words[at >> 1] = (words[at >> 1] ?? 0) + (at % 2 === 0 ? bits * 0x1_0000 : bits);
  }
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':');
}
