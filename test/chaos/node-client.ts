import type { NodeId, Vector } from '../../src/event/types.ts';

export const token = 'chaos-0123456789abcdef';
export const fleetTokens = `chaos=${token}:read+write+stream`;
export const authorization = { authorization: `Bearer ${token}` };
const provider = 'chaos';
/** A node that is suspended holds up whoever asks everybody. */
const questionMsMax = 2_000;
/** A digest reads every record of the node. */
const digestMsMax = 60_000;
const pageMsMax = 60_000;
const pageRecords = 10_000;

export type PostAnswer = {
  readonly status: number;
  /** Of a body that is not JSON nothing is known. */
  readonly body: {
    readonly accepted?: number;
    readonly created?: number;
    readonly refused?: readonly unknown[];
    readonly ack?: { readonly reached?: 'local' | number; readonly reason?: string };
    readonly events?: { readonly first: string };
    readonly detail?: string;
  };
};

export type MeshView = {
  readonly id: string;
  readonly ready: boolean;
  readonly reason: string;
  readonly records: number;
  readonly vector: Vector;
};

export type ShownRecord = { readonly indicator: string; readonly count: number };

/** Rejects when there is no answer within `answerMsMax`; then what became of the rows is unknown. */
export async function postIndicators(
  url: string,
  ack: string,
  rows: readonly string[],
  answerMsMax: number,
): Promise<PostAnswer> {
  const response = await fetch(`${url}/indicators?provider=${provider}&ack=${ack}`, {
    method: 'POST',
    headers: { ...authorization, 'content-type': 'text/plain' },
    body: rows.join('\n'),
    signal: AbortSignal.timeout(answerMsMax),
  });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, body: { detail: text.slice(0, 200) } };
  }
}

/** Undefined when the node does not answer. */
export async function meshOf(url: string): Promise<MeshView | undefined> {
  const found = await getJson(`${url}/mesh`, questionMsMax);
  if (found === undefined) return undefined;
  const { vector, ...rest } = found as unknown as Omit<MeshView, 'vector'> & { vector: VectorInJson };
  return { ...rest, vector: vectorOf(vector) };
}

/** Undefined when the node does not answer. */
export async function digestOf(url: string): Promise<string | undefined> {
  const found = await getJson(`${url}/mesh/digest`, digestMsMax);
  return found && `${found['sha256']} of ${found['records']} records`;
}

/** Every record of a node, page by page. Rejects when the node does not answer. */
export async function* recordsOf(url: string): AsyncGenerator<ShownRecord> {
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ nofeed: '1', provider, limit: String(pageRecords) });
    if (cursor !== undefined) query.set('cursor', cursor);
    const response = await fetch(`${url}/indicators?${query}`, {
      headers: { ...authorization, accept: 'application/json' },
      signal: AbortSignal.timeout(pageMsMax),
    });
    if (!response.ok) throw new Error(`GET /indicators: ${response.status} ${await response.text()}`);
    const page = (await response.json()) as { data: ShownRecord[]; meta: { next?: string } };
    yield* page.data;
    cursor = page.meta.next;
  } while (cursor !== undefined);
}

type VectorInJson = Readonly<
  Record<string, { readonly up_to: number; readonly above: readonly (readonly [number, number])[] }>
>;

function vectorOf(json: VectorInJson): Vector {
  return new Map(
    Object.entries(json).map(([origin, held]) => [
      origin as NodeId,
      { upTo: held.up_to, above: held.above.map(([from, to]) => ({ from, to })) },
    ]),
  );
}

async function getJson(url: string, answerMsMax: number): Promise<Record<string, unknown> | undefined> {
  try {
    const response = await fetch(url, { headers: authorization, signal: AbortSignal.timeout(answerMsMax) });
    if (response.ok) return (await response.json()) as Record<string, unknown>;
    await response.body?.cancel();
  } catch {
    // It is down, suspended, or was killed half way through its answer.
  }
  return undefined;
}
