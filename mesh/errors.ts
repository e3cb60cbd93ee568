/** Every error code of the library. Strangers' bytes never throw; these are for our caller's and the system's faults. */
export type MeshErrorCode =
  | 'BIND_FAILED'
  | 'BAD_ENDPOINT'
  | 'BAD_GROUP'
  | 'BAD_HEADER'
  | 'BAD_KEY'
  | 'BAD_NAME'
  | 'BAD_TIMING'
  | 'NO_CONTENT'
  | 'NO_DESCRIPTORS'
  | 'NOT_ENOUGH_PEERS'
  | 'TOO_LARGE'
  | 'STOPPED';

export class MeshError extends Error {
  readonly code: MeshErrorCode;
  constructor(code: MeshErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'MeshError';
    this.code = code;
  }
}
