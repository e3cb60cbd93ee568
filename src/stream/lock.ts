/** What a ZeroMQ socket needs to speak CURVE (RFC 26) as a server that asks who comes (ZAP, RFC 27). */
export type StreamLock = {
  /** Z85. */
  readonly secretKey: string;
  /** The ZAP domain in which only those who hold the stream key are let in. */
  readonly domain: string;
};

/** The socket options of it; none without a key. */
export function lockOptions(lock: StreamLock | undefined) {
  if (lock === undefined) return {};
  return {
    curveServer: true,
    curveSecretKey: lock.secretKey,
    zapDomain: lock.domain,
    // Else everyone gets in when nobody answers for the domain.
    zapEnforceDomain: true,
  };
}
