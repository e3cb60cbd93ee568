import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/settings.ts';
import { readSubscription } from '../facade/subscription.ts';
import type { Intake } from '../intake/intake.ts';
import type { IndicatorStore } from '../store/store.ts';
import type { StreamLog } from '../stream/stream-log.ts';
import type { Logger } from '../telemetry/log.ts';
import { allowedFrom } from '../webhook/guard.ts';
import { createPoster } from '../webhook/post.ts';
import { createResolve } from '../webhook/resolve.ts';
import { startWebhooks, type Webhooks } from '../webhook/webhooks.ts';

export type NodeWebhooksParts = {
  readonly config: Pick<Config, 'webhookAllow'>;
  readonly store: IndicatorStore;
  readonly streamLog: StreamLog;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly isOwner: (webhookId: string) => boolean;
  readonly version: string;
  readonly log: Logger;
};

/** The webhooks of a running node. */
export function startNodeWebhooks(parts: NodeWebhooksParts): Promise<Webhooks> {
  const { config, store, streamLog, intake, clock, isOwner, version, log } = parts;
  return startWebhooks({
    store,
    log: streamLog,
    clock,
    random: Math.random,
    randomBytes,
    poster: createPoster({
      allowed: allowedFrom(config.webhookAllow),
      resolve: createResolve(),
      clock,
    }),
    say: (sayings, wish) => intake.say(sayings, wish),
    isOwner,
    readSubscription,
    version,
    told: {
      info: (message) => log.info(message),
      warn: (message, details) => log.warn(details ?? {}, message),
    },
  });
}
