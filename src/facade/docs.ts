import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { asyncapiDocument } from './asyncapi.ts';
import type { Env } from './env.ts';
import type { FacadeParts } from './parts.ts';

/** Swagger UI's files come from its package, so that the page works where nothing else is reachable. */
const assets: ReadonlyMap<string, string> = new Map([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['start.js', 'text/javascript; charset=utf-8'],
]);

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Tocsin API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`;
// Without `validatorUrl` Swagger UI would show the document's address to validator.swagger.io.
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: 'none' });\n`;

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const html = { 'text/html': { schema: z.string() } };
const documentRoute = createRoute({
  method: 'get',
  path: '/openapi.json',
  summary: 'This document',
  responses: {
    200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: z.looseObject({}) } } },
  },
});
const streamsRoute = createRoute({
  method: 'get',
  path: '/asyncapi.json',
  summary: 'The streams as a document',
  responses: {
    200: { description: 'AsyncAPI 3.0', content: { 'application/json': { schema: z.looseObject({}) } } },
  },
});
const pageRoute = createRoute({
  method: 'get',
  path: '/docs',
  summary: 'This document as a page',
  responses: { 200: { description: 'Swagger UI', content: html } },
});
const fileRoute = createRoute({
  method: 'get',
  path: '/docs/{file}',
  summary: 'What the page loads',
  request: { params: z.object({ file: z.string() }) },
  responses: {
    200: { description: 'A script or a style sheet' },
    404: { description: 'There is no such file' },
  },
});

export function addDocs(app: OpenAPIHono<Env>, { version, mesh }: FacadeParts): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  for (const route of [documentRoute, streamsRoute, pageRoute, fileRoute])
    app.openAPIRegistry.registerPath(route);
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Tocsin',
      version,
      description:
        'A brokerless mesh for threat intelligence. The streams have a document of their own: [AsyncAPI](/asyncapi.json).',
    },
    externalDocs: { description: 'The streams (AsyncAPI 3)', url: '/asyncapi.json' },
  });
  app.get('/asyncapi.json', (context) => {
    const { host: httpHost, protocol } = new URL(context.req.url);
    const { stream: publisher, pull } = mesh.self().endpoints;
    return context.json(
      asyncapiDocument({ version, httpHost, isHttps: protocol === 'https:', publisher, pull }),
    );
  });
  app.get('/docs', (context) => context.html(page, 200, { 'content-security-policy': policy }));
  app.get('/docs/:file', async (context) => {
    const file = context.req.param('file');
    const type = assets.get(file);
    if (type === undefined) return context.notFound();
    const body = file === 'start.js' ? start : await readFile(join(swaggerDirectory(), file), 'utf8');
    return context.body(body, 200, { 'content-type': type });
  });
}

function swaggerDirectory(): string {
  return dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
}
