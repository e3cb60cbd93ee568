import { getPublicSuffix } from 'tldts';

// The ICANN section (co.uk) and the private one (github.io): below either, names belong to others than the suffix does. The
// name is canonical already, and has no port or path to be found.
const options = { allowPrivateDomains: true, extractHostname: false, validateHostname: false } as const;

/** Whether a canonical name is a public suffix (https://publicsuffix.org) as the library tldts knows them. */
export function isPublicSuffix(name: string): boolean {
  return getPublicSuffix(name, options) === name;
}
