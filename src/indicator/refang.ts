// A scheme as people defang it: hxxp, hXXps, htxp, h**p, fxp; `[:]//`, `[://]`, `:\\`.
const scheme = /^(?:(h)(?:tt|xx|xt|tx|\*\*)p(s?)|(f)[tx]p)([[({]?:[\])}]?(?:\/\/|\\\\)[\])}]?)/i;
const plainScheme = /^(?:https?|ftp):\/\//i;

// Where the host's part ends. `[/]` ends it too, and is itself a sign of defanging.
const headEnd = /\[\/\]|[/?#\\]/;

const dots = /\[\.\]|\(\.\)|\{\.\}|[[({]dot[\])}]/gi;
const ats = /[[({](?:@|at)[\])}]/gi;
const colons = /\[:\]|\(:\)|\{:\}/g;
const slashes = /\[\/\]/g;
// `example[.com` and `example.]com`: half of the brackets was lost. No host and no IPv6 literal contains either.
const halfDots = /\[\.|\.\]/g;

/**
 * Undoes the ways in which people make indicators unclickable: `hxxp://`, `hXXps[:]//`, `[.]`, `(dot)`, `{.}`, `[at]`,
 * `example[.com`. Text without them comes back as it is. What follows the host is refanged only when scheme or host were
 * defanged: a plain URL whose path contains `[.]` is another resource than the one without the brackets.
 */
export function refang(text: string): string {
  const found = scheme.exec(text);
  const written = found?.[0] ?? '';
  const wanted = found === null ? '' : plain(found);
  const after = text.slice(written.length);

  const end = headEnd.exec(after);
  const head = end === null ? after : after.slice(0, end.index);
  const rest = end === null ? '' : after.slice(end.index);
  const host = refangTokens(head).replace(halfDots, '.');

  const plainBefore = host === head && end?.[0] !== '[/]' && (written === '' || plainScheme.test(written));
  if (plainBefore) return text;
  return wanted + host + refangTokens(rest);
}

function plain([, http, secure = '']: RegExpExecArray): string {
  if (http === undefined) return 'ftp://';
  return secure === '' ? 'http://' : 'https://';
}

function refangTokens(text: string): string {
  return text.replace(dots, '.').replace(ats, '@').replace(colons, ':').replace(slashes, '/');
}
