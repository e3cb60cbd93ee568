/** Caps on an indicator's text. Characters are UTF-16 units, as `String.length` counts them. */
export const indicatorLimits = {
  /** Before refanging: three times the longest URL leaves room for a URL that is defanged at every dot. */
  rawCharactersMax: 24_576,
  /** RFC 9110, section 4.1 asks recipients to take 8,000 bytes at least; real feeds stay far below. */
  urlCharactersMax: 8_192,
  /** RFC 1035, section 2.3.4: 255 bytes on the wire, which are 253 characters without the trailing dot. */
  hostCharactersMax: 253,
  /** RFC 1035, section 2.3.4. */
  labelCharactersMax: 63,
  /** Before punycode and percent-decoding: punycode takes time that grows with the square of the length. */
  rawHostCharactersMax: 1_012,
  /** RFC 5321, section 4.5.3.1.1. With the domain's cap, an address stays within that RFC's 320. */
  emailLocalBytesMax: 64,
  /** RFC 6793: four octets. */
  asnMax: 4_294_967_295,
} as const;

/** Caps on an observation's other fields. Ours, unless a source is named: far above what real feeds carry. */
export const observationLimits = {
  /** Provider and group. */
  nameCharactersMax: 64,
  tagsMax: 50,
  tagCharactersMax: 64,
  descriptionCharactersMax: 2_000,
  /** What browsers and feeds have long taken as the longest link. */
  referenceCharactersMax: 2_048,
  rdataCharactersMax: 1_024,
  asnDescCharactersMax: 256,
  protocolCharactersMax: 32,
  /** Of a retraction. */
  reasonCharactersMax: 256,
  /** Ports and ranges of ports in one list. */
  portItemsMax: 100,
  /** RFC 9293. */
  portMax: 65_535,
  /** Per observation; the sum over observations stops at 2^53 - 1. */
  countMax: 1_000_000_000,
  confidenceMax: 10,
  /** Before 1990 there were no feeds: such a time is an empty field that was read as 0. */
  oldestMs: Date.UTC(1990, 0, 1),
  /** Covers every time zone that a source can forget to state. */
  aheadMsMax: 24 * 60 * 60 * 1_000,
  expireAheadMsMax: 10 * 366 * 24 * 60 * 60 * 1_000,
} as const;
