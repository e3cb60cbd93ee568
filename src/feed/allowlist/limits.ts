import { indicatorLimits, observationLimits } from '../../indicator/limits.ts';

/** Caps on what `tocsin allowlist import` reads. Characters are UTF-16 units. */
export const warninglistLimits = {
  /** The longest of MISP's lists has a million entries in 30 MB. */
  fileBytesMax: 128 * 1024 * 1024,
  entriesMax: 2_000_000,
  attributesMax: 100,
  entryCharactersMax: indicatorLimits.rawCharactersMax,
  /** Of a list's name and version, in each row's description. */
  nameCharactersMax: 200,
  providerCharactersMax: observationLimits.nameCharactersMax,
  /** Files of all directories together; MISP has some 120 lists. */
  filesMax: 10_000,
} as const;
