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
