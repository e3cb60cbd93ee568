import type { Clock } from '../clock.ts';
import { onAnyNode } from './any-node.ts';
import { chunksOf, readJson } from './body.ts';
import { systemClock } from './clock.ts';
import type { Closable } from './closable.ts';
import { ask, type ClientParts, type NodeRequest } from './http.ts';
import { type MeshEvent, type MeshEventsOptions, openMeshEvents } from './mesh-events.ts';
import { type NodeChoice, readNodes, type TokenChoice, takeTurns } from './nodes.ts';
import type { FeedRow, IndicatorRecord, Page, ValueAnswer } from './records.ts';
import {
  type FeedOptions,
  feed,
  type SearchOneOptions,
  type SearchOptions,
  searchMany,
  searchOne,
} from './search.ts';
import { openSnapshot, type Snapshot, type SnapshotOptions } from './snapshot.ts';
import { openStream, type Stream, type StreamOptions } from './stream.ts';
import { type Rows, type SubmitOptions, type Submitted, submit } from './submit.ts';

export type { Clock } from '../clock.ts';
export type { Closable } from './closable.ts';
export { ClientError, type ClientErrorCode, type NodeProblem } from './errors.ts';
export type { Choice, Filters, Paging, Window } from './filters.ts';
export type { StreamState } from './follow.ts';
export type { NodeRequest } from './http.ts';
export type { MeshEvent, MeshEventsOptions } from './mesh-events.ts';
export type {
  EventMessage,
  ExpireMessage,
  IndicatorMessage,
  OtherMessage,
  ResetMessage,
  RetractMessage,
  SearchMessage,
  SightingMessage,
  StreamMessage,
} from './messages.ts';
export type { NodeChoice, TokenChoice } from './nodes.ts';
export type { Refusal } from './outcome.ts';
export type { FeedRow, IndicatorRecord, Page, ValueAnswer } from './records.ts';
export type { FeedOptions, SearchOneOptions, SearchOptions } from './search.ts';
export type { Snapshot, SnapshotOptions } from './snapshot.ts';
export type { Stream, StreamOptions } from './stream.ts';
export type { BatchAnswer, RowDefaults, Rows, SubmitOptions, SubmitRow, Submitted } from './submit.ts';

export type ClientOptions = {
  /** One or more nodes of one mesh. The first that answers is asked until it fails; then the next. */
  readonly nodes: readonly NodeChoice[];
  /** Shown to all nodes that have none of their own. */
  readonly token?: TokenChoice | undefined;
  /** In place of the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  readonly clock?: Clock | undefined;
  /** From 0 to 1, as Math.random; waits are drawn by it. */
  readonly random?: (() => number) | undefined;
};

/** An answer whose body is read as it comes; leaving it closes the connection, and without reading it the connection stays. */
export type NodeAnswer = {
  readonly status: number;
  readonly headers: Headers;
  /** Rejects with ClientError. */
  readonly body: AsyncIterable<Uint8Array>;
};

/**
 * All calls reject with ClientError, and else only with what functions of the caller throw (rows, tokens, listeners). A question that one
 * node cannot answer is asked of the next.
 */
export type Client = {
  /** One page of what is known about a value, a pattern or a list with commas (docs/queries.md). */
  search(q: string, options?: SearchOneOptions): Promise<Page<IndicatorRecord>>;
  /** What is known about each of several values, in their order. */
  search(values: readonly string[], options?: SearchOptions): Promise<readonly ValueAnswer[]>;
  /** Stores rows, in batches, and says what became of them. */
  submit(rows: Rows, options?: SubmitOptions): Promise<Submitted>;
  /** One page of a feed that is safe to block. */
  feed(options?: FeedOptions): Promise<Page<FeedRow>>;
  /** Messages as they come, for ever, over whichever node lives. */
  stream(options?: StreamOptions): Stream;
  /** All records, and where the stream goes on after them. */
  snapshot(options?: SnapshotOptions): Snapshot;
  /** Who comes and goes in the mesh, as one node sees it, for ever. */
  meshEvents(options?: MeshEventsOptions): Closable<MeshEvent>;
  /** The answer of any other path of the HTTP interface (`/docs` at a node) that answers JSON: what is in it is the caller's to check. */
  json(path: string, request?: NodeRequest): Promise<unknown>;
  /** The answer of any path, when it is a 2xx. */
  request(path: string, request?: NodeRequest): Promise<NodeAnswer>;
  /** The URL of the node that is asked first: the one that answered last. */
  readonly node: string;
};

/**
 * A client of a mesh. It holds nothing open between calls. Throws ClientError `usage`.
 *
 *     const client = createClient({ nodes: ['http://127.0.0.1:8480'], token });
 *     for await (const message of client.stream({ kind: 'indicator', itype: 'url' })) {
 *       if (message.kind === 'indicator') console.log(message.data.indicator);
 *     }
 */
export function createClient(options: ClientOptions): Client {
  const { nodes, token, fetch = globalThis.fetch, clock = systemClock, random = Math.random } = options;
  const parts: ClientParts = {
    turn: takeTurns(readNodes(nodes, token)),
    // Of a browser it must be called without an object.
    fetch: (input, init) => fetch(input, init),
    clock,
    random,
  };

  function search(q: string, options?: SearchOneOptions): Promise<Page<IndicatorRecord>>;
  function search(values: readonly string[], options?: SearchOptions): Promise<readonly ValueAnswer[]>;
  async function search(asked: string | readonly string[], options: SearchOneOptions = {}) {
    return typeof asked === 'string' ? searchOne(parts, asked, options) : searchMany(parts, asked, options);
  }

  return {
    search,
    submit: (rows, options = {}) => submit(parts, rows, options),
    feed: (options = {}) => feed(parts, options),
    stream: (options = {}) => openStream(parts, options),
    snapshot: (options = {}) => openSnapshot(parts, options),
    meshEvents: (options = {}) => openMeshEvents(parts, options),
    json: (path, request) => {
      const headers = { accept: 'application/json', ...request?.headers };
      return onAnyNode(
        parts.turn,
        async (node) => {
          const response = await ask(parts, node, path, { ...request, headers });
          return readJson(response, { node, clock, signal: request?.signal });
        },
        isQuestion(request),
      );
    },
    request: (path, request) =>
      onAnyNode(
        parts.turn,
        async (node) => {
          const response = await ask(parts, node, path, request);
          const { status, headers } = response;
          return { status, headers, body: chunksOf(response, { node, clock, signal: request?.signal }) };
        },
        isQuestion(request),
      ),
    get node() {
      return parts.turn.order()[0]?.url ?? '';
    },
  };
}

function isQuestion(request: NodeRequest | undefined): boolean {
  return (request?.method ?? 'GET') === 'GET';
}
