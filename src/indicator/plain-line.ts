/** Whether a line is a remark: it begins with `#`, `;` or `//`, after spaces or not. No indicator begins so. */
export function isRemark(line: string): boolean {
  return /^\s*(?:#|;|\/\/)/.test(line);
}

/** A line without the remark at its end. The space before the mark tells it from the fragment of a URL. */
export function withoutTail(line: string): string {
  return line.replace(/\s+(?:[#;]|\/\/).*$/, '');
}

/** Remarks of filter lists: `! Title: ...`, `[Adblock Plus 2.0]`. */
const filterRemark = /^(?:!(?:\s|$)|\[Adblock)/i;
/** `||host^` and `||host^$third-party`: a name to block in a filter list. An exception (`@@||host^`) is none. */
const filterRule = /^\|\|([^\s/^$|*@]+)\^(?:\$\S*)?$/;
/** `0.0.0.0 host` and its kin, as in /etc/hosts: the address is where the host is sent to, not the indicator. */
const hostsForm = /^(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+(\S.*)$/;
/** The machine's own names at the head of a hosts file. */
const ownNames = /^(?:localhost|localhost\.localdomain|local|broadcasthost|ip6-[a-z]+|0\.0\.0\.0)$/i;

/** Whether a line is of a hosts file. */
export function isHostsLine(line: string): boolean {
  return hostsForm.test(line.trim());
}

/**
 * What one line of plain text has for indicators: none in a blank line or a remark, several in a line of a hosts file, else
 * one, without the remark at its end. Whether they are indicators is not looked at.
 */
export function indicatorsOfLine(line: string): readonly string[] {
  if (isRemark(line)) return [];
  const entry = withoutTail(line).trim();
  if (entry === '' || filterRemark.test(entry)) return [];
  const hosts = hostsForm.exec(entry)?.[1];
  if (hosts !== undefined) return hosts.split(/\s+/).filter((host) => !ownNames.test(host));
  return [filterRule.exec(entry)?.[1] ?? entry];
}
