import { AddressInUse } from '../facade/server.ts';
import { PublisherError } from '../stream/publisher.ts';

/** How many ports above the default are tried when it is taken. */
const portsTried = 200;

/** The port that was set by hand, or the first free one from the default on. */
export async function onFreePort<T>(
  port: number,
  byHand: boolean,
  start: (port: number) => Promise<T>,
): Promise<T> {
  for (let tried = 0; ; tried++) {
    try {
      return await start(port + tried);
    } catch (error) {
      const taken =
        error instanceof AddressInUse || (error instanceof PublisherError && error.code === 'ADDRESS_IN_USE');
      if (!taken || byHand || port === 0 || tried >= portsTried) throw error;
    }
  }
}
