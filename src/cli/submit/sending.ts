import { ackAllowed, ackDefault, parseAckWish } from '../../event/ack.ts';
import { CliError, exitCodes } from '../exit.ts';
import type { NodeClient } from '../http-client.ts';
import type { Io } from '../io.ts';
import type { Progress } from './progress.ts';
import type { SendParts } from './send.ts';

/** What commands that send rows to a node have in common. */

export const ackHelp = `${ackAllowed} (default: ${ackDefault})`;

/** The value of `--ack`. Throws a CliError. */
export function ackOf(text: string): string {
  const wish = parseAckWish(text);
  if (wish.ok) return text;
  throw new CliError(exitCodes.usage, `--ack is "${text}": ${wish.reason}.`);
}

/** How rows are sent to a node, and waited for while it is busy; `query` stands for what rows do not state. */
export function sendingTo(
  client: NodeClient,
  query: URLSearchParams,
  progress: Progress,
  io: Io,
  signal: AbortSignal,
): Pick<SendParts, 'post' | 'wait' | 'nowMs' | 'signal'> {
  return {
    post: (body) =>
      client.send('/indicators', {
        method: 'POST',
        query,
        headers: { 'content-type': 'application/x-ndjson', accept: 'application/json' },
        body,
      }),
    async wait(ms) {
      await progress.say(`The node is busy; trying again in ${Math.ceil(ms / 1_000)} s.`);
      await io.sleep(ms, signal);
    },
    nowMs: io.nowMs,
    signal,
  };
}
