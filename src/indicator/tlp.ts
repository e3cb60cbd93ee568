import type { Tlp } from './types.ts';
import { tlps } from './types.ts';

/** Reads a TLP 2.0 label in any case, with or without `TLP:`. `white`, the old name, reads as clear. */
export function parseTlp(text: string): Tlp | undefined {
  if ((tlps as readonly string[]).includes(text)) return text as Tlp;
  const label = text.trim().toLowerCase().replace(/^tlp:/, '');
  return label === 'white' ? 'clear' : tlps.find((tlp) => tlp === label);
}

/** The one that lets fewer people see. */
export function strictestTlp(a: Tlp, b: Tlp): Tlp {
  return tlps.indexOf(a) < tlps.indexOf(b) ? b : a;
}
