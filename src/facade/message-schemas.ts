import { z } from '@hono/zod-openapi';
import { itypes, tlps } from '../indicator/types.ts';

/** What stands in a stream, for its document (AsyncAPI): the shapes of stream/envelope.ts and indicator/present.ts. */

const time = z.iso.datetime().describe('RFC 3339, UTC');
const cursor = z.string().describe('Where a stream goes on after this message, at any node; opaque');

export const recordSchema = z
  .object({
    indicator: z.string().describe('Its canonical form'),
    itype: z.enum(itypes),
    provider: z.string().describe('Who says so'),
    group: z.string(),
    tlp: z.enum(tlps).describe('TLP 2.0'),
    confidence: z.number().min(0).max(10).describe('10 certain, 8 safe to block, 5 a coin flip, 0 unknown'),
    tags: z.array(z.string()),
    count: z.int().min(0).describe('Observations'),
    firsttime: time,
    lasttime: time,
    reporttime: time.describe('When the mesh learnt it; RFC 3339, UTC'),
    expiretime: time.optional(),
    description: z.string().optional(),
    reference: z.string().optional(),
    portlist: z.string().optional(),
    protocol: z.string().optional(),
    rdata: z.string().optional(),
    asn: z.number().optional(),
    asn_desc: z.string().optional(),
    cc: z.string().optional(),
    latitude: z.number().optional(),
    longitude: z.number().optional(),
    sightings: z.object({ count: z.number(), lasttime: time }).optional(),
    retracted: z.object({ time, reason: z.string() }).optional(),
    id: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .describe('Of the indicator, its kind, the provider and the group: the same everywhere'),
  })
  .describe('What one provider states about one indicator, as it is now; an absent field is not known');

export const searchSchema = z
  .object({
    q: z.string().describe('The canonical indicator, or a pattern as it was typed'),
    itype: z.enum(itypes).optional(),
    by: z.string().describe('Name of the token of who asked'),
    node: z.string().describe('Id of the node that was asked'),
    time,
  })
  .describe('What somebody asked for');

/** CloudEvents 1.0 with the stream's cursor as an extension attribute. */
function envelope<Data extends z.ZodType>(type: string, id: string, data: Data) {
  return z.object({
    specversion: z.literal('1.0'),
    id: z.string().describe(id),
    type: z.literal(type),
    source: z.string().describe('Id of the node that serves the stream'),
    time,
    datacontenttype: z.literal('application/json'),
    cursor,
    data,
  });
}

const sameId = 'Id of the event, the same on every node: by it a message that came already is told';
/** Messages of the log by their CloudEvents type. */
export const messageSchemas = {
  'tocsin.indicator.created': envelope('tocsin.indicator.created', sameId, recordSchema),
  'tocsin.indicator.updated': envelope('tocsin.indicator.updated', sameId, recordSchema),
  'tocsin.sighting': envelope('tocsin.sighting', sameId, recordSchema),
  'tocsin.retract': envelope('tocsin.retract', sameId, recordSchema),
  'tocsin.expire': envelope('tocsin.expire', sameId, recordSchema),
  'tocsin.search': envelope('tocsin.search', sameId, searchSchema),
} as const;

/** What a stream says of itself: the bare data in Server-Sent Events, in an envelope in NDJSON and WebSocket frames. */
export const noticeSchemas = {
  connected: z
    .object({ first: cursor, last: cursor })
    .describe('Opens the stream: the oldest and the newest cursor that this node holds'),
  reset: z
    .object({ cursor, detail: z.string(), snapshot: z.string() })
    .describe(
      'The stream cannot go on after the cursor that was asked for: it goes on live; `snapshot` has all records',
    ),
  gap: z
    .object({ cursor, missed: z.int().min(0) })
    .describe(
      'Changes can no longer be had, as the reader was too slow; the stream ends, and goes on at `cursor`',
    ),
  alive: z.object({ cursor }).describe('Nothing was wanted of what came up to this cursor'),
} as const;

export function noticeEnvelope(kind: keyof typeof noticeSchemas) {
  return envelope(`tocsin.stream.${kind}`, 'Of this notice', noticeSchemas[kind]);
}

/** A webhook's message about many events at once. */
export const digestSchema = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string(),
    type: z.literal('tocsin.digest'),
    source: z.string(),
    time,
    datacontenttype: z.literal('application/json'),
    data: z.object({
      count: z.int().min(1),
      first: z.object({ id: z.string(), time }),
      last: z.object({ id: z.string(), time }),
      items: z.array(z.looseObject({ id: z.string() })).describe('The first of them, whole'),
    }),
  })
  .describe('Many events at once, when they come too fast for one request each');

/** What a sensor says. */
export const submittedSchema = z
  .looseObject({
    indicator: z.string().describe('Defanged or not'),
    itype: z.enum(itypes).optional().describe('Detected unless stated'),
    tags: z.union([z.string(), z.array(z.string())]).optional(),
    confidence: z.number().min(0).max(10).optional(),
    tlp: z.string().optional(),
    group: z.string().optional(),
    description: z.string().optional(),
  })
  .describe('An indicator, with what is said about it; docs/submitting.md lists all fields');
