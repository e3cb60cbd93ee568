import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { CliError, exitCodes } from './exit.ts';
import type { Io } from './io.ts';

/** Flags that say which node a command speaks to. */
export type ConnectionOptions = {
  /** One or more, each with or without commas. */
  readonly url?: readonly string[];
  readonly token?: string;
  readonly dataDir?: string;
  readonly node?: string;
};

export type NodeAddress = {
  readonly url: string;
  /** As it was named, or what reads the one that holds now: a node on this machine has another one after each start. */
  readonly token: string | (() => Promise<string | undefined>);
};

/** What a running node leaves in its data directory (mode 0600), for commands of the same user on the same machine. */
type NodeFile = { readonly url: string; readonly pid: number; readonly token: string | undefined };

const nodesDirectory = '.tocsin';

/**
 * Finds the nodes and their tokens: the URLs that were named, else the data directory or number that was named, else the
 * running node with the lowest number in `./.tocsin`. A flag wins over every variable. Throws a CliError when there is none.
 */
export async function findNodes(options: ConnectionOptions, io: Io): Promise<readonly NodeAddress[]> {
  const token = options.token ?? (io.env['TOCSIN_TOKEN'] || undefined);
  const named = options.dataDir !== undefined || options.node !== undefined;
  const fromEnv = named ? undefined : io.env['TOCSIN_URL'] || undefined;
  const urls = options.url ?? (fromEnv === undefined ? [] : [fromEnv]);
  if (urls.length > 0) {
    const checked = urls.flatMap((list) => list.split(',')).map(checkUrl);
    return checked.map((url) => ({ url, token: token ?? (() => tokenFor(url, options, io)) }));
  }
  const node = await runningNode(options, io);
  const url = checkUrl(node.url);
  return [{ url, token: token ?? (() => tokenFor(url, options, io)) }];
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new CliError(exitCodes.usage, `${text} is no URL of a node. Write it like http://127.0.0.1:8480.`);
  }
  return url.href.replace(/\/+$/, '');
}

/** Only the very node that the file describes gets its token. */
async function tokenFor(url: string, options: ConnectionOptions, io: Io): Promise<string | undefined> {
  for (const directory of await directoriesOf(options, io)) {
    const node = await readNodeFile(directory);
    if (node !== undefined && sameOrigin(node.url, url)) return node.token;
  }
  return undefined;
}

function sameOrigin(a: string, b: string): boolean {
  const origins = [a, b].map((text) => (URL.canParse(text) ? new URL(text) : undefined));
  const [first, second] = origins.map(
    (url) => url && `${url.protocol}//${url.host.replace(/^localhost\b/, '127.0.0.1')}`,
  );
  return first !== undefined && first === second;
}

async function runningNode(options: ConnectionOptions, io: Io): Promise<NodeFile> {
  for (const directory of await directoriesOf(options, io)) {
    const node = await readNodeFile(directory);
    if (node !== undefined && io.isAlive(node.pid)) return node;
  }
  if (options.dataDir !== undefined) {
    const start = `tocsin start --data-dir ${options.dataDir}`;
    throw new CliError(
      exitCodes.unreachable,
      `No node runs in ${options.dataDir}. Start it with \`${start}\`.`,
    );
  }
  const which = options.node === undefined ? 'No node runs' : `Node ${options.node} does not run`;
  throw new CliError(
    exitCodes.unreachable,
    `${which} in ${join(io.cwd, nodesDirectory)}. Start one with \`tocsin start\`, or name one with --url and --token ` +
      '(TOCSIN_URL, TOCSIN_TOKEN).',
  );
}

/** The data directories to look into, the lowest number first. */
async function directoriesOf(options: ConnectionOptions, io: Io): Promise<readonly string[]> {
  const nodes = join(io.cwd, nodesDirectory);
  if (options.dataDir !== undefined) return [resolve(io.cwd, options.dataDir)];
  if (options.node !== undefined) return [join(nodes, numberOf(options.node))];
  const fromEnv = io.env['TOCSIN_DATA_DIR'];
  if (fromEnv) return [resolve(io.cwd, fromEnv)];
  const names = await readdir(nodes).catch(() => []);
  const numbers = names.filter((name) => /^\d+$/.test(name)).map(Number);
  return numbers.sort((a, b) => a - b).map((number) => join(nodes, String(number)));
}

function numberOf(text: string): string {
  if (/^\d{1,9}$/.test(text)) return String(Number(text));
  throw new CliError(exitCodes.usage, `--node is "${text}": a number is allowed, as in ./.tocsin/1.`);
}

async function readNodeFile(directory: string): Promise<NodeFile | undefined> {
  const file = join(directory, 'node.json');
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')) {
      throw new CliError(
        exitCodes.notAllowed,
        `${file} belongs to another user. Name the node and a token with --url and --token.`,
      );
    }
    // A file that is not there, or half written by a node that is just starting, names no node.
    return undefined;
  }
  if (typeof content !== 'object' || content === null) return undefined;
  if (!('url' in content) || typeof content.url !== 'string') return undefined;
  if (!('pid' in content) || typeof content.pid !== 'number') return undefined;
  const token = 'token' in content && typeof content.token === 'string' ? content.token : undefined;
  return { url: content.url, pid: content.pid, token };
}
