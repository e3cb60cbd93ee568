/** The text of a remark, which in many feeds is the header of the columns: `# first_seen,url`. */
export function commentText(line: string): string {
  return line.replace(/^[\s#;/]+/, '');
}
