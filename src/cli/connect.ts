import { type Client, createClient } from '../client/client.ts';
import { type ClientError, strangeAnswer } from '../client/errors.ts';
import { CliError, type ExitCode, exitCodes } from './exit.ts';
import { type ConnectionOptions, findNodes } from './find-node.ts';
import type { Io } from './io.ts';

/** A client of the nodes that the flags name, or of the one that runs on this machine. Throws a CliError. */
export async function connect(options: ConnectionOptions, io: Io): Promise<Client> {
  const nodes = await findNodes(options, io);
  return createClient({
    nodes,
    clock: { wallMs: io.nowMs, after: io.after },
    random: io.random,
  });
}

/** An answer that is not as this release knows it. */
export function strangeTo(client: Client, path: string): ClientError {
  return strangeAnswer(client.node, `answered ${path} in a way that this version of tocsin does not know`);
}

const exits: Readonly<Record<ClientError['code'], ExitCode>> = {
  usage: exitCodes.usage,
  unreachable: exitCodes.unreachable,
  'broken-off': exitCodes.unreachable,
  silent: exitCodes.unreachable,
  busy: exitCodes.unreachable,
  'not-allowed': exitCodes.notAllowed,
  'not-found': exitCodes.failed,
  refused: exitCodes.usage,
  failed: exitCodes.failed,
  strange: exitCodes.failed,
  aborted: exitCodes.interrupted,
};

/** What the command adds to what a client says: it has flags for it. */
const hints: Partial<Record<ClientError['code'], string>> = {
  unreachable: 'Start one with `tocsin start`, or name others with --url.',
  'broken-off': '`tocsin status` says whether it runs.',
  strange: 'Name another with --url.',
};

/** The end of a command by an error of its client. */
export function endedBy(error: ClientError): CliError {
  const hint = error.status === 401 ? 'Give a token with --token or TOCSIN_TOKEN.' : hints[error.code];
  return new CliError(exits[error.code], hint === undefined ? error.message : `${error.message}\n${hint}`, {
    cause: error,
  });
}
