import { ClientError, mayPass, wasNotTaken } from './errors.ts';
import type { ClientNode, Turn } from './nodes.ts';

/**
 * Asks one node after the other, beginning with the one that answered last, until one answers. What is no question is asked of the
 * next one only when the node before has not done it for sure: one that broke off may have. Rejects with ClientError: at once when a node refuses what is asked for, else
 * once none has answered.
 */
export async function onAnyNode<T>(
  turn: Turn,
  asking: (node: ClientNode) => Promise<T>,
  isQuestion = true,
): Promise<T> {
  const mayAskNext = isQuestion ? mayPass : wasNotTaken;
  const failures: ClientError[] = [];
  for (const node of turn.order()) {
    try {
      const answer = await asking(node);
      turn.prefer(node);
      return answer;
    } catch (error) {
      if (!mayAskNext(error)) throw error;
      failures.push(error);
    }
  }
  throw united(failures);
}

/** The errors of all nodes as one: the first one's code, and what each says. */
export function united(failures: readonly ClientError[]): ClientError {
  const [first, second] = failures;
  if (first === undefined) return new ClientError('usage', 'There is no node to ask.');
  if (second === undefined) return first;
  const { code, node, status, problem, retryAfterMs } = first;
  return new ClientError(code, failures.map(({ message }) => message).join('\n'), {
    ...(node !== undefined && { node }),
    ...(status !== undefined && { status }),
    ...(problem !== undefined && { problem }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    cause: failures,
  });
}
