const charactersMax = 80;

/** A stranger's text inside a sentence: in double quotes, escaped as JSON does, cut at 80 characters. */
export function quote(text: string): string {
  return JSON.stringify(text.length > charactersMax ? `${text.slice(0, charactersMax - 1)}…` : text);
}
