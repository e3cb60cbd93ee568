import { lookup, Resolver } from 'node:dns/promises';
import type { Resolve } from './post.ts';

/**
 * All addresses of a name, from DNS; a name that DNS does not have is asked of the system, which knows the hosts file and
 * search domains. That takes a thread of the pool that the store works with too, so there is one such question at a time:
 * a resolver that hangs must not hold the store up.
 */
export function createResolve(): Resolve {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 });
  let system: Promise<unknown> = Promise.resolve();

  return async (name) => {
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    if (found.length > 0) return found;
    const asked = system.then(() => lookup(name, { all: true }));
    system = asked.catch(() => undefined);
    return (await asked).map(({ address }) => address);
  };
}
