export type StoreErrorCode =
  | 'LOCKED'
  | 'CORRUPT'
  | 'READ_ONLY'
  | 'NO_SPACE'
  | 'NEWER_VERSION'
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

/** What a failed read or write means to a person. */
export function storeErrorOf(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_DATABASE_NOT_OPEN') {
    return new StoreError('CLOSED', 'the store is closed', { cause });
  }
  if (/no space/i.test(message)) {
    return new StoreError('NO_SPACE', 'the disk is full: free some space, then start the node again', {
      cause,
    });
  }
  return new StoreError('FAILED', `the store failed: ${message}`, { cause });
}
