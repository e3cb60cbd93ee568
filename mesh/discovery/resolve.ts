import type { Clock, Timer } from '../clock.ts';
import { jitter, type Random } from '../random.ts';
import type { Names } from '../transport/names.ts';
import { answersMax, endpointsOf, type NamedSeed } from './seeds.ts';

const resolveEveryMs = 30_000;
/** While no hub is found names are asked sooner: first after so long, then ever more slowly. */
const resolveEveryMsMin = 1_000;
/** Targets of one SRV answer whose addresses are asked for. */
const targetsMax = 16;

export type ResolveParts = {
  readonly names: Names;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether a hub is connected. */
  readonly isFound: () => boolean;
  /** The endpoints that a seed's name stands for now. */
  readonly onAnswer: (seed: NamedSeed, endpoints: readonly string[]) => void;
  /** A name gave no answer, by reason. */
  readonly onFailed: (reason: 'no-such-name' | 'no-answer') => void;
};

/** Asks for the names again and again until stopped. */
export function keepResolving(seeds: readonly NamedSeed[], parts: ResolveParts): Timer {
  const { names, clock, random, isFound, onAnswer, onFailed } = parts;
  let stopped = false;
  let timer: Timer | undefined;
  let waitMs = resolveEveryMsMin;

  async function resolve(): Promise<void> {
    // One after another: getaddrinfo cannot be given up, and holds one of the few threads that the whole process shares.
    for (const seed of seeds) {
      if (stopped) return;
      try {
        const endpoints = await endpointsBehind(seed);
        if (!stopped) onAnswer(seed, endpoints);
      } catch (cause) {
        if (!stopped) onFailed(failureOf(cause));
      }
    }
    if (stopped) return;
    timer = clock.after(jitter(random, isFound() ? resolveEveryMs : waitMs), run);
    waitMs = isFound() ? resolveEveryMsMin : Math.min(waitMs * 2, resolveEveryMs);
  }

  function run(): void {
    void resolve();
  }

  async function endpointsBehind(seed: NamedSeed): Promise<readonly string[]> {
    if (seed.kind === 'host') return endpointsOf(await names.addresses(seed.name), seed.port);
    const found: string[] = [];
    let failure: unknown;
    for (const { host, port } of (await names.services(seed.name)).slice(0, targetsMax)) {
      try {
        found.push(...endpointsOf(await names.addresses(host), port));
      } catch (cause) {
        failure = cause;
      }
    }
    if (found.length === 0 && failure !== undefined) throw failure;
    return found.slice(0, answersMax);
  }

  run();
  return {
    stop() {
      stopped = true;
      timer?.stop();
    },
  };
}

/** Codes of getaddrinfo and of c-ares. */
function failureOf(cause: unknown): 'no-such-name' | 'no-answer' {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ENOTFOUND' || code === 'ENODATA' ? 'no-such-name' : 'no-answer';
}
