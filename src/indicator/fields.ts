import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import { parseAsn } from './asn.ts';
import type { CharacterCode } from './characters.ts';
import { checkPrintable } from './characters.ts';
import { observationLimits } from './limits.ts';
import { quote } from './quote.ts';
import { parseTlp } from './tlp.ts';
import type { Itype, Tlp } from './types.ts';
import { itypes, tlps } from './types.ts';

export type FieldCode = 'wrong-type' | 'bad-value' | 'out-of-range' | 'too-long' | CharacterCode;

/** Words of ASCII with one space between: nothing to change, and nothing to refuse. */
const plainText = /^(?:[!-~]+(?: [!-~]+)*)?$/;

/** Prose on one line: runs of white space become one space. */
export function readText(value: unknown, charactersMax: number): Parsed<string, FieldCode> {
  if (typeof value !== 'string') return refuseType(value, 'text');
  if (value.length > charactersMax) {
    return refuse('too-long', `${value.length} characters; allowed are ${charactersMax}`);
  }
  return plainText.test(value) ? accept(value) : checkPrintable(value.trim().replace(/\s+/g, ' '));
}

const nameLetters = /^[A-Za-z0-9._@:-]+$/;

/** The name of a provider or a group. */
export function readName(value: unknown): Parsed<string, FieldCode> {
  if (typeof value !== 'string') return refuseType(value, 'text');
  const name = value.trim();
  if (name.length > observationLimits.nameCharactersMax) {
    return refuse(
      'too-long',
      `${name.length} characters; allowed are ${observationLimits.nameCharactersMax}`,
    );
  }
  if (nameLetters.test(name)) return accept(name);
  return refuse('bad-value', `${quote(name)} is no name; allowed are letters, digits and . _ @ : -`);
}

export function readItype(value: unknown): Parsed<Itype, FieldCode> {
  if (typeof value !== 'string') return refuseType(value, 'text');
  const name = value.trim().toLowerCase();
  const itype = itypes.find((known) => known === name);
  return itype === undefined ? refuseChoice(name, itypes) : accept(itype);
}

export function readTlp(value: unknown): Parsed<Tlp, FieldCode> {
  if (typeof value !== 'string') return refuseType(value, 'text');
  const tlp = parseTlp(value);
  return tlp === undefined ? refuseChoice(value, tlps) : accept(tlp);
}

// A comma separates tags and a leading `!` negates one in a filter, so neither can be in a tag. Quotes, brackets and spaces
// are in MISP's machine tags: `misp-galaxy:threat-actor="apt 28"`.
const tagLetters = /^[a-z0-9_.-][a-z0-9 ._:/=+@#&()"'*~-]*$/;
const hashMark = /^#/;
/** A list that a program printed: `[scan, brute force]`, `['scan']`. */
const printedList = /^\s*\[(.*)\]\s*$/;
const printedItem = /^\s*(['"])(.*)\1\s*$/;

/**
 * An array of tags, or tags between commas: in lower case, sorted, without repetition. Hashtags are tags too, and blanks
 * between them do: `#phishing #scam`; so is a list that a program printed into one cell.
 */
export function readTags(value: unknown): Parsed<readonly string[], FieldCode> {
  const written: unknown = typeof value === 'string' ? splitTags(value) : value;
  if (!Array.isArray(written)) return refuseType(value, 'an array of tags, or tags between commas');
  if (written.length > observationLimits.tagsMax) {
    return refuse('too-long', `${written.length} tags; allowed are ${observationLimits.tagsMax}`);
  }
  const tags: string[] = [];
  let sorted = true;
  for (const item of written) {
    if (typeof item !== 'string') return refuseType(item, 'text for each tag');
    const tag = item.trim().replace(hashMark, '').toLowerCase();
    if (tag === '') continue;
    if (tag.length > observationLimits.tagCharactersMax) {
      return refuse(
        'too-long',
        `a tag of ${tag.length} characters; allowed are ${observationLimits.tagCharactersMax}`,
      );
    }
    if (!tagLetters.test(tag)) {
      const allowed =
        'allowed are a letter, a digit or _ . - first, then also spaces and : / = + @ # & ( ) " \' * ~';
      return refuse(
        'bad-value',
        `the tag ${quote(tag)} has other characters than ASCII tags have; ${allowed}`,
      );
    }
    const last = tags.at(-1);
    if (last !== undefined && tag <= last) sorted = false;
    tags.push(tag);
  }
  return accept(sorted ? tags : [...new Set(tags)].sort());
}

function splitTags(text: string): readonly string[] {
  const list = printedList.exec(text)?.[1];
  if (list === undefined) return text.split(/,|\s(?=#)/);
  return list.split(',').map((item) => printedItem.exec(item)?.[2] ?? item);
}

const decimal = /^[+-]?\d{1,15}(?:\.\d{1,15})?$/;

/** A number, or the text of a decimal number, from `min` to `max`. */
export function readNumber(value: unknown, min: number, max: number): Parsed<number, FieldCode> {
  const number = typeof value === 'string' && decimal.test(value.trim()) ? Number(value) : value;
  if (typeof number === 'string')
    return refuse('bad-value', `${quote(number)} is no number; allowed are ${min} to ${max}`);
  if (typeof number !== 'number') return refuseType(value, `a number from ${min} to ${max}`);
  if (!(number >= min && number <= max))
    return refuse('out-of-range', `${number}; allowed are ${min} to ${max}`);
  // JSON writes -0 as 0, so that a record would not be equal to its own copy.
  return accept(number === 0 ? 0 : number);
}

export function readInteger(value: unknown, min: number, max: number): Parsed<number, FieldCode> {
  const number = readNumber(value, min, max);
  if (!number.ok || Number.isInteger(number.value)) return number;
  return refuse('bad-value', `${number.value}; allowed are whole numbers from ${min} to ${max}`);
}

/** `AS64500`, `64500`, or the number. */
export function readAsn(value: unknown): Parsed<number, FieldCode> {
  if (typeof value !== 'string' && typeof value !== 'number')
    return refuseType(value, 'a number or text such as AS64500');
  const asn = parseAsn(String(value).trim());
  return asn.ok ? asn : refuse('out-of-range', asn.reason);
}

/** ISO 3166-1 alpha-2. Upper case. Whether the code is assigned is not checked: sources use `XK` and `EU`. */
export function readCountry(value: unknown): Parsed<string, FieldCode> {
  if (typeof value !== 'string') return refuseType(value, 'text');
  const code = value.trim().toUpperCase();
  return /^[A-Z]{2}$/.test(code)
    ? accept(code)
    : refuse('bad-value', `${quote(value)}; allowed are two letters, such as NL`);
}

/** A protocol's name or IANA number: `tcp`, `6`. */
export function readProtocol(value: unknown): Parsed<string, FieldCode> {
  if (typeof value !== 'string' && typeof value !== 'number') return refuseType(value, 'text or a number');
  const protocol = String(value).trim().toLowerCase();
  if (protocol.length > observationLimits.protocolCharactersMax) {
    return refuse(
      'too-long',
      `${protocol.length} characters; allowed are ${observationLimits.protocolCharactersMax}`,
    );
  }
  if (/^[a-z0-9][a-z0-9._+/-]*$/.test(protocol)) return accept(protocol);
  return refuse('bad-value', `${quote(protocol)}; allowed are names and numbers such as tcp, udp or 6`);
}

/** Ports and ranges between commas, as CIF has it: `22,80,8000-8100`. Spaces and leading zeros are dropped. */
export function readPortlist(value: unknown): Parsed<string, FieldCode> {
  if (typeof value !== 'string' && typeof value !== 'number')
    return refuseType(value, 'text such as 22,80,8000-8100');
  const items = String(value).split(',');
  if (items.length > observationLimits.portItemsMax) {
    return refuse(
      'too-long',
      `${items.length} ports or ranges; allowed are ${observationLimits.portItemsMax}`,
    );
  }
  const ports: string[] = [];
  for (const item of items) {
    const ends = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?$/.exec(item);
    const first = Number(ends?.[1]);
    const last = Number(ends?.[2] ?? first);
    if (!(first <= last && last <= observationLimits.portMax)) {
      return refuse(
        'bad-value',
        `${quote(item)}; allowed are ports 0 to 65535 and ranges, such as 22,80,8000-8100`,
      );
    }
    ports.push(ends?.[2] === undefined ? `${first}` : `${first}-${last}`);
  }
  return accept(ports.join(','));
}

function refuseType(value: unknown, allowed: string): Parsed<never, FieldCode> {
  const type = value === null ? 'null' : Array.isArray(value) ? 'an array' : `of type ${typeof value}`;
  return refuse('wrong-type', `the value is ${type}; allowed is ${allowed}`);
}

function refuseChoice(text: string, allowed: readonly string[]): Parsed<never, FieldCode> {
  return refuse('bad-value', `${quote(text)}; allowed are ${allowed.join(', ')}`);
}
