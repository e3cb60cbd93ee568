/*
 * Marks are written with every kind of bracket, `[.]`, `(dot)`, `{at}`, `<.>`, with blanks within and around them, and often
 * half of the brackets is lost: `example[.com`, `example.]com`.
 */
const open = '[[({<]';
const close = '[\\])}>]';
const mark = (what: string) => `${open} {0,2}(?:${what}) {0,2}${close}`;

// A scheme as people defang it: hxxp, hXXps, htxp, h**p, h__p, meow, fxp, hxxp[s]; `[:]//`, `[://]`, `:[//]`, `:\\`.
const http = 'h(?:tt|xx|xxx|xt|tx|\\*\\*|__|##)p|meow';
const secure = `s|${mark('s')}`;
const slash = '(?:\\/|\\[\\/\\]|\\\\)';
const separator = `${open}?:${close}?${open}?${slash}${slash}${close}?`;
const scheme = new RegExp(`^${open}?(?:(${http})${close}?(${secure})?|(f[tx*]p))${separator}`, 'i');
const plainScheme = /^(?:https?|ftp):\/\//i;

// Where the host's part ends. `[/]` ends it too, and is itself a sign of defanging.
const headEnd = /\[\/\]|[/?#\\]/;
/** The same where a backslash stands before each dot, as in a regular expression: `example\.com`. */
const headEndEscaped = /\[\/\]|[/?#]|\\(?!\.)/;
/** A plain URL whose host would end at the first such backslash, with a single label. */
const escapedHost = /^[^./?#\\]*\\\./;

const dots = new RegExp(mark('\\.|dot'), 'gi');
const ats = new RegExp(mark('@|at'), 'gi');
const colons = new RegExp(mark(':'), 'g');
const slashes = /\[\/\]/g;
const blanks = new RegExp(` {1,3}(?=${mark('\\.|dot|@|at|:')})|(?<=${mark('\\.|dot|@|at|:')}) {1,3}`, 'gi');
// No host, no IPv6 literal and no mailbox contains either.
const halfDots = /[[(<]\.|\.[\])>]/g;
/** RFC 3986, appendix C: how a URL stands in prose. */
const angled = /^<([^<>]*)>$/;
const escapedDots = /\\\./g;
/** Dots of other scripts, which UTS 46 reads as dots in names; in an address nothing else reads them. */
const wideDots = /[\u2024\u3002\ufe52\uff0e\uff61]/g;

/** Every mark has one of these; without them only the scheme can be defanged, and most texts need no more than this look. */
const anyMark = /[[\](){}<>\\\u2024\u3002\ufe52\uff0e\uff61]/;
const anyScheme = /^[a-z*_#]{3,6}:\/\//i;

/**
 * Undoes the ways in which people make indicators unclickable: `hxxp://`, `hXXps[:]//`, `meow://`, `[.]`, `(dot)`, `{.}`,
 * `<.>`, `[at]`, `\.`, `example[.com`. Text without them comes back as it is. What follows the host is refanged only when
 * scheme or host were defanged: a plain URL whose path contains `[.]` is another resource than the one without the brackets.
 */
export function refang(written: string): string {
  if (!anyMark.test(written) && (plainScheme.test(written) || !anyScheme.test(written))) return written;
  const bare = written.replace(angled, '$1');
  const text = plainScheme.test(bare) || !bare.includes(' ') ? bare : bare.replace(blanks, '');
  const found = scheme.exec(text);
  const start = found?.[0] ?? '';
  const after = text.slice(start.length);
  const isPlainScheme = plainScheme.test(start);

  const isEscaped = !isPlainScheme || escapedHost.test(after);
  const end = (isEscaped ? headEndEscaped : headEnd).exec(after);
  const head = end === null ? after : after.slice(0, end.index);
  const rest = end === null ? '' : after.slice(end.index);
  const host = refangHost(isEscaped ? head.replace(escapedDots, '.') : head, found === null);

  const plainBefore = host === head && end?.[0] !== '[/]' && (start === '' || isPlainScheme);
  if (plainBefore) return text;
  return (found === null ? '' : plain(found)) + host + refangTokens(rest);
}

function refangHost(head: string, alone: boolean): string {
  const host = refangTokens(head).replace(halfDots, '.');
  return alone && !host.includes('@') ? host.replace(wideDots, '.') : host;
}

function plain([, web, isSecure]: RegExpExecArray): string {
  if (web === undefined) return 'ftp://';
  return isSecure === undefined ? 'http://' : 'https://';
}

function refangTokens(text: string): string {
  return text.replace(dots, '.').replace(ats, '@').replace(colons, ':').replace(slashes, '/');
}
