import { ClientError } from './errors.ts';
import { clientLimits } from './limits.ts';

/** A token, or what gives the one that holds now: it is called before each request. */
export type TokenChoice = string | (() => string | undefined | Promise<string | undefined>);

/** A node's address, or its address with a token of its own. */
export type NodeChoice = string | { readonly url: string; readonly token?: TokenChoice };

export type ClientNode = { readonly url: string; readonly token: TokenChoice | undefined };

/** The nodes in the order in which they are asked: the one that answered last comes first. */
export type Turn = {
  order(): readonly ClientNode[];
  prefer(node: ClientNode): void;
  /** The next one comes first. */
  passOver(node: ClientNode): void;
};

/** Throws ClientError `usage`. */
export function readNodes(
  choices: readonly NodeChoice[],
  token: TokenChoice | undefined,
): readonly ClientNode[] {
  if (choices.length === 0 || choices.length > clientLimits.nodesMax) {
    throw new ClientError(
      'usage',
      `nodes has ${choices.length} entries: allowed are 1 to ${clientLimits.nodesMax}.`,
    );
  }
  return choices.map((choice) => {
    const { url, token: own } = typeof choice === 'string' ? { url: choice, token: undefined } : choice;
    return { url: readUrl(url), token: own ?? token };
  });
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === undefined || !isHttp || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new ClientError('usage', `${text} is no URL of a node. Write it like http://127.0.0.1:8480.`);
  }
  return url.href.replace(/\/+$/, '');
}

export function takeTurns(nodes: readonly ClientNode[]): Turn {
  let first = 0;
  return {
    order: () => [...nodes.slice(first), ...nodes.slice(0, first)],
    prefer(node) {
      first = nodes.indexOf(node);
    },
    passOver(node) {
      first = (nodes.indexOf(node) + 1) % nodes.length;
    },
  };
}
