import { z } from '@hono/zod-openapi';

/*
 * What the routes under /mesh answer. The schemas are strict and the types are made of them, so that what the document says is
 * what is sent.
 */

const count = z.int().min(0);
const nodeId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .openapi({ description: 'Node id: 32 lower-case hex digits' });
const meshName = z.string().openapi({ description: 'As the peer calls itself: it need not be unique' });
const endpoint = z.string().openapi({ example: 'tcp://192.0.2.7:49152' });

const vectorSchema = z
  .record(
    nodeId,
    z.strictObject({
      up_to: count.openapi({ description: 'Everything up to this number is here' }),
      above: z.array(z.tuple([count, count])).openapi({ description: 'Ranges above it, first and last' }),
    }),
  )
  .openapi('Vector', { description: 'By origin, which of its events this node holds' });

const progressSchema = z.strictObject({ records: count, total: count });

/** This node, for `GET /mesh`. */
export const nodeSchema = z
  .strictObject({
    id: nodeId,
    name: meshName,
    version: z.string(),
    encrypted: z.boolean().openapi({ description: 'Whether the mesh has a key, which keeps others out' }),
    endpoints: z
      .strictObject({
        mesh: endpoint,
        gossip: endpoint.optional(),
        stream: endpoint,
        pull: endpoint.optional(),
      })
      .readonly(),
    counters: z
      .record(z.string(), count)
      .readonly()
      .openapi({ description: 'Strangers’ bytes and overflows that were dropped, by reason' }),
    ready: z.boolean(),
    reason: z.string().openapi({ description: 'What it is doing, or why it is not ready' }),
    peers: count.openapi({ description: 'Nodes that it shares events with' }),
    missing: count.openapi({ description: 'Events that a peer holds and this node does not' }),
    snapshot: progressSchema.optional().openapi({ description: 'The snapshot that is on its way here' }),
    clock_offset_ms: z
      .number()
      .nullable()
      .openapi({ description: 'How far the peers’ clocks are ahead; null while no peer has told its time' }),
    records: count,
    log_bytes: count,
    vector: vectorSchema,
  })
  .openapi('Node');

/** A peer, for `GET /mesh/peers`. */
export const peerSchema = z
  .strictObject({
    id: nodeId,
    name: meshName,
    endpoint,
    ready: z.boolean().openapi({ description: 'Whether it has answered our HELLO' }),
    version: z.string().optional().openapi({ description: 'Of Tocsin; absent for other Zyre peers' }),
    http: z.string().optional().openapi({ description: 'Where it answers HTTP' }),
    groups: z.array(z.string()).readonly(),
    found_by: z
      .array(z.string())
      .readonly()
      .openapi({ description: 'Ways of discovery that know it now; none for a peer that found us' }),
    last_heard_ms: count.openapi({ description: 'Since anything came of it' }),
    round_trip_ms: z
      .number()
      .min(0)
      .optional()
      .openapi({ description: 'From the last PING to its answer; absent before the first' }),
    queued_messages: count.openapi({ description: 'Messages to it that are not written yet' }),
    queued_bytes: count,
  })
  .openapi('Peer');

export type PeerRow = z.infer<typeof peerSchema>;

/** For `GET /mesh/digest`. */
export const digestSchema = z
  .strictObject({
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    records: count,
    vector: vectorSchema,
  })
  .openapi('Digest');

/** RFC 3339, UTC. */
const time = z.iso.datetime();
const aboutPeer = { id: nodeId, name: meshName };

/** One event of `GET /mesh/events`. */
export const meshEventSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('peer-entered'),
      time,
      ...aboutPeer,
      endpoint,
      version: z.string().optional(),
      http: z.string().optional(),
      groups: z.array(z.string()).readonly(),
    }),
    z.strictObject({
      kind: z.literal('peer-exited'),
      time,
      ...aboutPeer,
      reason: z.string().openapi({ description: 'goodbye, expired, gap, restarted, replaced, ...' }),
    }),
    z.strictObject({ kind: z.enum(['peer-joined', 'peer-left']), time, ...aboutPeer, group: z.string() }),
    z.strictObject({ kind: z.enum(['peer-silent', 'peer-heard']), time, ...aboutPeer, silent_ms: count }),
    z.strictObject({ kind: z.enum(['outbox-full', 'outbox-drained']), time, ...aboutPeer, dropped: count }),
    z.strictObject({ kind: z.literal('stranger-refused'), time, reason: z.string() }),
    z.strictObject({ kind: z.literal('turned-away'), time, endpoint }),
    z.strictObject({
      kind: z.literal('inbox-full'),
      time,
      dropped: count.openapi({ description: 'Events that this reader was too slow for' }),
    }),
  ])
  .openapi('MeshEvent');

export type MeshEventRow = z.infer<typeof meshEventSchema>;

/** For `GET /ping`. */
export const pingSchema = z.strictObject({ time: z.iso.datetime(), name: z.string() }).openapi('Ping');
