import type { Parsed } from '../parsed.ts';
import { accept, refuse } from '../parsed.ts';
import type { HostCode } from './host.ts';
import { canonicalUrlHost } from './host.ts';
import { indicatorLimits } from './limits.ts';
import { normalisePercent } from './percent.ts';
import { quote } from './quote.ts';

export type UrlCode = 'bad-url' | 'unsupported-scheme' | HostCode;

const defaultPorts: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['https', '443'],
  ['ftp', '21'],
]);

const outline = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\\]*)([^#]*)/i;
const hostOutline = /^(\[[^\]]*\]|[^:[\]]+)(?::(\d*))?$/;
const beyondAscii = /[\u0080-\u{10ffff}]+/gu;

/**
 * A URL in canonical form: scheme in lower case, host canonical, default port and fragment dropped, `/` for an empty path.
 *
 * Path and query keep their case, dot segments, repeated slashes and an empty query: what a sensor logs is what the client
 * sent, and two spellings that one server treats alike are two resources on another. What is changed is what means the same
 * by RFC 3986, section 6.2.2 (see `normalisePercent`), and what every client changes before it sends: characters beyond ASCII
 * are percent-encoded as UTF-8, a backslash that ends the host reads as a slash (as the URL Standard says;
 * `http://evil.example\@good.example/` goes to evil.example), and an at sign within the user name or password is
 * percent-encoded. User name and password are part of the URL, without the colon of an empty password.
 */
export function canonicalUrl(text: string): Parsed<string, UrlCode> {
  const parts = outline.exec(text);
  if (parts === null) {
    return refuse(
      'bad-url',
      `${quote(text)} has no scheme; send ${quote(`http://${text}`)} if that is meant`,
    );
  }
  const [, writtenScheme = '', authority = '', rest = ''] = parts;
  const scheme = writtenScheme.toLowerCase();
  const defaultPort = defaultPorts.get(scheme);
  if (defaultPort === undefined) {
    return refuse(
      'unsupported-scheme',
      `the scheme ${quote(scheme)} is not supported; allowed are http, https and ftp`,
    );
  }
  const at = authority.lastIndexOf('@');
  const hostParts = hostOutline.exec(authority.slice(at + 1));
  if (hostParts === null) {
    return refuse(
      'bad-url',
      `${quote(text)} names no host; allowed are URLs such as https://example.com/path`,
    );
  }
  const [, writtenHost = '', writtenPort = ''] = hostParts;
  if (Number(writtenPort) > 65_535) {
    return refuse('bad-url', `${quote(text)} has port ${quote(writtenPort)}; allowed are 0 to 65535`);
  }
  const host = canonicalUrlHost(writtenHost);
  if (!host.ok) return host;

  const userinfo = authority
    .slice(0, Math.max(at, 0))
    .replace(/^([^:]*):$/, '$1')
    .replaceAll('@', '%40');
  const user = userinfo === '' ? '' : `${toUriCharacters(userinfo)}@`;
  const portNumber = writtenPort.replace(/^0+(?=\d)/, '');
  const port = portNumber === '' || portNumber === defaultPort ? '' : `:${portNumber}`;
  const url = `${scheme}://${user}${host.value}${port}${toUriCharacters(withRoot(rest))}`;
  if (url.length > indicatorLimits.urlCharactersMax) {
    return refuse(
      'too-long',
      `a URL of ${url.length} characters; allowed are ${indicatorLimits.urlCharactersMax}`,
    );
  }
  return accept(url);
}

type SplitUrl = { readonly before: string; readonly host: string; readonly after: string };

/** A canonical URL cut at its host. Throws on text that `canonicalUrl` did not make. */
export function splitAtHost(url: string): SplitUrl {
  const plain = splitPlain(url);
  if (plain !== undefined) return plain;
  const parts = /^([a-z]+:\/\/(?:[^@/?]*@)?)(\[[^\]]*\]|[^:/]*)(.*)$/s.exec(url);
  if (parts === null) throw new TypeError(`${quote(url)} is no canonical URL`);
  const [, before = '', host = '', after = ''] = parts;
  return { before, host, after };
}

/** The same for nearly all: no user name, no IPv6 literal. A store cuts each URL for its key. */
function splitPlain(url: string): SplitUrl | undefined {
  const start = url.startsWith('https://') ? 'https://'.length : 'http://'.length;
  const slash = url.indexOf('/', start);
  if (slash === -1 || !(url.startsWith('http://') || url.startsWith('https://'))) return undefined;
  const authority = url.slice(start, slash);
  if (authority.includes('@') || authority.includes('?') || authority.startsWith('[')) return undefined;
  const colon = authority.indexOf(':');
  const end = colon === -1 ? slash : start + colon;
  return { before: url.slice(0, start), host: url.slice(start, end), after: url.slice(end) };
}

function withRoot(rest: string): string {
  if (rest.startsWith('/')) return rest;
  return `/${rest.startsWith('\\') ? rest.slice(1) : rest}`;
}

function toUriCharacters(text: string): string {
  return normalisePercent(text.replace(beyondAscii, encodeURIComponent));
}
