export type StoreErrorCode =
  | 'LOCKED'
  | 'CORRUPT'
  | 'READ_ONLY'
  | 'NO_SPACE'
  | 'NEWER_VERSION'
  | 'OLDER_VERSION'
  | 'CLOSED'
  | 'FAILED';

/** A fault of the disk or of our own; the message says what to do about it. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** The error of a directory whose files are not what was written. */
export function corrupt(directory: string, damage: string, cause?: unknown): StoreError {
  return new StoreError(
    'CORRUPT',
    `${directory} is damaged (${damage}): stop the node, move it away and start again; the node begins empty, and its peers give it back what they have`,
    { cause },
  );
}

/** What a failed read or write means to a person, and what to do. `directory` is the LevelDB's. */
export function storeErrorOf(cause: unknown, directory = "the data directory's db"): StoreError {
  if (cause instanceof StoreError) return cause;
  const chain = chainOf(cause);
  const text = chain.map(({ message }) => message).join(': ');
  const has = (...codes: readonly string[]) => chain.some(({ code = '' }) => codes.includes(code));
  const error = (code: StoreErrorCode, message: string) => new StoreError(code, message, { cause });

  if (has('LEVEL_LOCKED')) {
    return error('LOCKED', `${directory} is in use by another node: name another --data-dir`);
  }
  // A table that is gone, or is shorter than LevelDB left it, is called an IO error.
  if (has('LEVEL_CORRUPTION') || /Corruption:|\d\.ldb: (?:No such file|Invalid argument)/.test(text)) {
    return corrupt(directory, text, cause);
  }
  if (has('ENOSPC', 'EDQUOT') || /no space|quota exceeded/i.test(text)) {
    return error('NO_SPACE', `the disk of ${directory} is full: free some space, then start the node again`);
  }
  // ENOENT is what Node says when a directory and its parents cannot be made on a read-only disk.
  if (has('EACCES', 'EPERM', 'EROFS', 'ENOENT') || /permission denied|read-only/i.test(text)) {
    return error(
      'READ_ONLY',
      `${directory} cannot be written: check its owner, its mode and how its disk is mounted, or name another --data-dir`,
    );
  }
  // With a cause behind it, it could not be opened.
  if (chain.length === 1 && has('LEVEL_DATABASE_NOT_OPEN', 'LEVEL_ITERATOR_NOT_OPEN')) {
    return error('CLOSED', 'the store is closed');
  }
  return error('FAILED', `${directory} failed: ${text}; check it and its disk, or name another --data-dir`);
}

/** The error and what caused it. */
function chainOf(error: unknown): readonly { readonly code?: string; readonly message: string }[] {
  if (error === undefined) return [];
  if (!(error instanceof Error)) return [{ message: String(error) }];
  const { code, message, cause } = error as NodeJS.ErrnoException;
  return [{ ...(code !== undefined && { code }), message }, ...chainOf(cause)];
}
