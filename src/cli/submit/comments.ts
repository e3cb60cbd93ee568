/** Whether a line is a remark: it begins with `#`, `;` or `//`, after spaces or not. */
export function isComment(line: string): boolean {
  return /^\s*(?:#|;|\/\/)/.test(line);
}

/** A line without the remark at its end. The space before the mark tells it from the fragment of a URL. */
export function withoutTail(line: string): string {
  return line.replace(/\s+[#;].*$/, '');
}

/** The text of a remark, which in many feeds is the header of the columns: `# first_seen,url`. */
export function commentText(line: string): string {
  return line.replace(/^[\s#;/]+/, '');
}
