/**
 * A text that no program makes a link of, and no person opens by mistake: `hxxps[:]//example[.]com/`, `a[@]example[.]com`,
 * `2001[:]db8[:][:]1`. A hash stays as it is.
 */
export function defang(text: string): string {
  return text
    .replace(/\bhttp(s?)(?=:)/gi, (_, secure: string) => `hxxp${secure.toLowerCase()}`)
    .replace(/\bftp(?=s?:)/gi, 'fxp')
    .replace(/[.:@]/g, (mark) => `[${mark}]`);
}
