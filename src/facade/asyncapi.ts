import { z } from '@hono/zod-openapi';
import {
  digestSchema,
  messageSchemas,
  noticeEnvelope,
  noticeSchemas,
  recordSchema,
  submittedSchema,
} from './message-schemas.ts';

export type AsyncapiFacts = {
  readonly version: string;
  /** Of the node's HTTP, as the reader of the document reached it: `127.0.0.1:8480`. */
  readonly httpHost: string;
  readonly isHttps: boolean;
  /** `tcp://127.0.0.1:8481` */
  readonly publisher: string;
  /** Undefined while the node takes none. */
  readonly pull: string | undefined;
};

type Json = Readonly<Record<string, unknown>>;

const eventNames = Object.keys(messageSchemas) as readonly (keyof typeof messageSchemas)[];
const notices = Object.keys(noticeSchemas) as readonly (keyof typeof noticeSchemas)[];

const filterNames = {
  kind: '`indicator,search`: kinds of message',
  q: 'An address, network, domain or pattern to watch',
  itype: 'Kinds of indicator',
  tags: 'Any of `a,b`, without `!a`',
  confidence: 'At least `8`, or between `3,7`',
  provider: 'Any of `a,b`, without `!a`',
  group: 'Any of `a,b`, without `!a`',
  asn: 'Said to be in any of these autonomous systems',
  cc: 'Said to be in any of these countries',
  tlp: 'Any of these labels',
  cursor: 'Go on after this message; on Server-Sent Events `Last-Event-ID` is the same',
  ticket:
    'In place of the Authorization header, for browsers: `POST /stream/ticket` answers it; it is good once, for a minute',
} as const;

/** The streams of a node as a document: AsyncAPI 3.0, beside OpenAPI for the requests. */
export function asyncapiDocument({ version, httpHost, isHttps, publisher, pull }: AsyncapiFacts): Json {
  const s = isHttps ? 's' : '';
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Tocsin streams',
      version,
      license: { name: 'MIT' },
      description:
        'One log of changes per node under every transport, with the same messages and filters. Each message is a CloudEvents 1.0 ' +
        'object. A stream goes on after a `cursor`, at the node that gave it exactly, at any other one at least once: the ' +
        'id of the event tells what came already. docs/streaming.md explains the rest; /docs has the requests.',
    },
    defaultContentType: 'application/json',
    servers: {
      http: {
        host: httpHost,
        protocol: `http${s}`,
        description: 'Server-Sent Events and NDJSON',
        security: [
          { $ref: '#/components/securitySchemes/token' },
          { $ref: '#/components/securitySchemes/ticket' },
        ],
      },
      websocket: {
        host: httpHost,
        protocol: `ws${s}`,
        description: 'WebSocket',
        security: [
          { $ref: '#/components/securitySchemes/token' },
          { $ref: '#/components/securitySchemes/ticket' },
        ],
      },
      publisher: {
        host: hostOf(publisher),
        protocol: 'zmq',
        description: 'ZeroMQ PUB; CURVE when the node has a stream key',
      },
      pull: {
        ...(pull === undefined
          ? {
              host: '{host}:{port}',
              variables: {
                host: { default: '127.0.0.1' },
                port: { default: '8482', description: 'As --pull-port has it: this node has none now' },
              },
            }
          : { host: hostOf(pull) }),
        protocol: 'zmq',
        description: 'ZeroMQ PULL, off by default; CURVE when the node has a stream key',
      },
    },
    channels: {
      sse: {
        address: '/stream',
        title: 'Server-Sent Events',
        servers: [{ $ref: '#/servers/http' }],
        description:
          'The cursor is the `id`, the kind the `event`. Silence is broken every 15 s by a comment.',
        bindings: { http: { bindingVersion: '0.3.0' } },
        messages: { ...eventRefs(), ...refs(['connected', 'reset', 'gap'], (kind) => `notice.${kind}`) },
      },
      ndjson: {
        address: '/stream/ndjson',
        title: 'NDJSON, as a long poll, or with follow=1 for ever',
        servers: [{ $ref: '#/servers/http' }],
        description: 'One message a line. The header `Tocsin-Cursor` says where to go on after an answer.',
        messages: { ...eventRefs(), ...noticeRefs() },
      },
      websocket: {
        address: '/stream/ws',
        title: 'WebSocket',
        servers: [{ $ref: '#/servers/websocket' }],
        description: 'One message in each text frame.',
        bindings: { ws: { method: 'GET', query: filtersSchema, bindingVersion: '0.1.0' } },
        messages: { ...eventRefs(), ...noticeRefs() },
      },
      publisher: {
        address: '{topic}/{itype}/{tlp}/',
        title: 'ZeroMQ PUB of records',
        servers: [{ $ref: '#/servers/publisher' }],
        description:
          'Two frames: the address as the topic that subscribers match the beginning of, and the message.',
        parameters: {
          topic: { enum: ['indicator', 'sighting', 'retract', 'expire'] },
          itype: { enum: recordSchema.shape.itype.options },
          tlp: { enum: recordSchema.shape.tlp.options },
        },
        messages: refs(
          eventNames.filter((name) => name !== 'tocsin.search'),
          (name) => name,
        ),
      },
      publishedSearches: {
        address: 'search/{itype}/',
        title: 'ZeroMQ PUB of searches',
        servers: [{ $ref: '#/servers/publisher' }],
        parameters: { itype: { enum: [...recordSchema.shape.itype.options, 'pattern'] } },
        messages: refs(['tocsin.search'], (name) => name),
      },
      pull: {
        address: null,
        title: 'ZeroMQ PULL of sensors',
        servers: [{ $ref: '#/servers/pull' }],
        description: 'One or more indicators in a frame of JSON.',
        messages: refs(['submitted'], (name) => name),
      },
      webhook: {
        address: null,
        title: 'Webhooks',
        description:
          'A POST to the URL of each document in `/webhooks`. The format `standard` sends a message signed by Standard Webhooks ' +
          '(`webhook-id`, `webhook-timestamp`, `webhook-signature`), `json` its `data` alone, `slack` text and blocks of Slack.',
        messages: { ...eventRefs(), ...refs(['digest'], (name) => name) },
      },
    },
    operations: {
      ...sending('sse', 'The stream as Server-Sent Events'),
      ...sending('ndjson', 'The stream as NDJSON'),
      ...sending('websocket', 'The stream in frames'),
      ...sending('publisher', 'The stream for ZeroMQ subscribers'),
      ...sending('publishedSearches', 'Who asks about what, for ZeroMQ subscribers'),
      ...sending('webhook', 'What a webhook asked for'),
      takeIndicators: {
        action: 'receive',
        channel: { $ref: '#/channels/pull' },
        summary: 'Stores what a sensor says',
      },
    },
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'A token with the scope `stream`' },
        ticket: { type: 'httpApiKey', name: 'ticket', in: 'query', description: filterNames.ticket },
      },
      messages: {
        ...Object.fromEntries(
          eventNames.map((name) => [
            name,
            {
              name,
              contentType: 'application/cloudevents+json',
              payload: { $ref: `#/components/schemas/${name}` },
            },
          ]),
        ),
        ...Object.fromEntries(
          notices.flatMap((kind) => [
            [`notice.${kind}`, { name: kind, payload: jsonSchema(noticeSchemas[kind]) }],
            [
              `tocsin.stream.${kind}`,
              { name: `tocsin.stream.${kind}`, payload: jsonSchema(noticeEnvelope(kind)) },
            ],
          ]),
        ),
        digest: { name: 'tocsin.digest', payload: jsonSchema(digestSchema) },
        submitted: { name: 'submitted', payload: jsonSchema(submittedSchema) },
      },
      schemas: Object.fromEntries(eventNames.map((name) => [name, jsonSchema(messageSchemas[name])])),
    },
  };
}

const filtersSchema: Json = {
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(filterNames).map(([name, description]) => [name, { type: 'string', description }]),
  ),
};

/** AsyncAPI's schemas are a superset of JSON Schema draft 7. As input: a later release may add fields. */
function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return rest;
}

function refs<Name extends string>(names: readonly Name[], messageOf: (name: Name) => string): Json {
  return Object.fromEntries(
    names.map((name) => [name, { $ref: `#/components/messages/${messageOf(name)}` }]),
  );
}

function eventRefs(): Json {
  return refs(eventNames, (name) => name);
}

function noticeRefs(): Json {
  return refs(notices, (kind) => `tocsin.stream.${kind}`);
}

function sending(channel: string, summary: string): Json {
  const name = `send${channel.charAt(0).toUpperCase()}${channel.slice(1)}`;
  return { [name]: { action: 'send', channel: { $ref: `#/channels/${channel}` }, summary } };
}

function hostOf(endpoint: string): string {
  return endpoint.replace(/^[a-z]+:\/\//, '');
}
