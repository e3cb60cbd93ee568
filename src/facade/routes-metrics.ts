import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { problemAnswers } from './answers.ts';
import type { Env } from './env.ts';
import type { FacadeParts } from './parts.ts';
import { requireScope } from './scopes.ts';

const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  summary: 'This node in numbers, for Prometheus',
  description: [
    'Text format 0.0.4. Like `/mesh` it tells of the peers, so it takes a token with the scope read (`authorization` in a',
    'scrape configuration).',
    '',
    '- `tocsin_ready`: 1 once this node has caught up with the mesh',
    '- `tocsin_peers`: nodes that this one is connected to',
    '- `tocsin_records`: records that it holds',
    '- `tocsin_missing_events`: events that a peer holds and this node does not',
    '- `tocsin_event_log_bytes`: bytes of the batches in the event log',
    "- `tocsin_clock_offset_seconds`: how far the peers' clocks are ahead; absent while no peer has told its time",
    '- `tocsin_snapshot_records`, `tocsin_snapshot_total_records`: what has come of a snapshot, of how many; absent while',
    '  none is on its way here',
    '- `tocsin_mesh_peers{phase}`: peers that are `ready`, and that are `greeted` and have not answered yet',
    '- `tocsin_mesh_found_peers{source}`: peers that each way of discovery knows now',
    '- `tocsin_mesh_enters_total`, `tocsin_mesh_exits_total{reason}`, `tocsin_mesh_joins_total`, `tocsin_mesh_leaves_total`: who',
    '  came and went',
    '- `tocsin_mesh_round_trip_seconds{quantile}`: from the last PING to its answer, over the peers; 1 is the slowest',
    '- `tocsin_mesh_queued_messages`, `tocsin_mesh_queued_bytes`: what waits to be written to peers',
    '- `tocsin_mesh_outbox_drops_total`: messages that did not fit into the outbox of a peer',
    '- `tocsin_mesh_events_total{reason}`: what the mesh refused or dropped',
    '- `tocsin_replication_events_total{reason}`: batches that were refused or held back, snapshots taken or failed, events',
    '  said anew, and the like',
    '- `tocsin_search_events_total{reason}`: searches that all nodes were told (`said`), that were `repeated` within a minute, or',
    '  `dropped` as too many',
    '- `tocsin_pull_events_total{reason}`: what came by ZeroMQ PULL (`messages`, `rows`), what of it was `accepted`, how often it',
    '  was held up (`paused`), and what was refused, by code',
    '- `tocsin_group_events_total{reason}`: the group INDICATORS: what was `shouted` to foreign peers and what slow ones `missed`;',
    '  messages that were `heard` and `whispered`, `rows` and what of them was `accepted`, rows `taken-over` from an owner that did',
    '  not store them, and what was refused, by code',
    '- `tocsin_process_*`, `tocsin_nodejs_*`: the process and its runtime, from the first scrape on',
  ].join('\n'),
  security: [{ token: [] }],
  request: { query: z.strictObject({}) },
  responses: {
    200: { description: 'The metrics', content: { 'text/plain': { schema: z.string() } } },
    ...problemAnswers(400, 401, 403),
  },
});

export function addMetricsRoute(app: OpenAPIHono<Env>, { metrics }: FacadeParts): void {
  app.use('/metrics', async (context, next) => {
    requireScope(context.get('principal'), 'read');
    await next();
  });
  app.openapi(metricsRoute, async (context) =>
    context.text(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );
}
