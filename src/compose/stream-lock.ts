import { type CurvePair, createGatekeeper, type Gatekeeper } from 'tocsin/mesh';
import { context } from 'zeromq';
import type { StreamLock } from '../stream/lock.ts';

/** One for the process, as ZeroMQ has one place for it in a context: PUB and PULL of all nodes share the default one. */
let gatekeeper: Gatekeeper | undefined;

/** Lets only holders of the pair in at sockets with the lock. Close it when they are closed. */
export async function lockStream({ publicKey, secretKey }: CurvePair): Promise<{
  readonly lock: StreamLock;
  close(): void;
}> {
  gatekeeper ??= createGatekeeper(context);
  const { domain, close } = await gatekeeper.admit(publicKey);
  return { lock: { secretKey, domain }, close };
}
