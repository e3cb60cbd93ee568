/** What tells whether a client has the answer already (RFC 9110, section 8.8). */
export type Validators = {
  /** Without its quotes. */
  readonly etag: string;
  /** The bytes may differ where it does not matter (RFC 9110, section 8.8.1). */
  readonly isWeak?: boolean;
  /** In whole seconds; absent when the last change is too recent for that to tell two apart. */
  readonly modifiedMs?: number;
};

/** Whether a GET or HEAD is answered 304: If-None-Match counts, and only without it If-Modified-Since (section 13.2.2). */
export function isNotModified(request: Request, { etag, modifiedMs }: Validators): boolean {
  const tags = request.headers.get('if-none-match');
  if (tags !== null) {
    return (
      tags.trim() === '*' || [...tags.matchAll(/(?:W\/)?"([^"]*)"/g)].some(([, known]) => known === etag)
    );
  }
  const since = Date.parse(request.headers.get('if-modified-since') ?? '');
  return modifiedMs !== undefined && since >= modifiedMs;
}

export function validatorHeaders({ etag, isWeak, modifiedMs }: Validators): Readonly<Record<string, string>> {
  return {
    etag: `${isWeak ? 'W/' : ''}"${etag}"`,
    ...(modifiedMs !== undefined && { 'last-modified': new Date(modifiedMs).toUTCString() }),
  };
}

const secondMs = 1_000;

/**
 * When the content of something changed last, as seen from here. A time has whole seconds, so a second change within one is
 * dated to the next: what a client says it has since `modifiedMs` is what it has.
 */
export function createLastModified(rememberedMax: number) {
  const seen = new Map<string, { readonly content: string; readonly modifiedMs: number }>();
  return (name: string, content: string, nowMs: number): number | undefined => {
    const last = seen.get(name);
    const second = Math.floor(nowMs / secondMs) * secondMs;
    const known =
      last?.content === content
        ? last
        : { content, modifiedMs: last === undefined ? second : Math.max(second, last.modifiedMs + secondMs) };
    seen.delete(name);
    seen.set(name, known);
    const [oldest] = seen.keys();
    if (seen.size > rememberedMax && oldest !== undefined) seen.delete(oldest);
    return known.modifiedMs > nowMs ? undefined : known.modifiedMs;
  };
}
