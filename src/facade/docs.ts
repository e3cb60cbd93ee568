import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Env } from './env.ts';

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
const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true });\n`;

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'";

export function addDocs(app: OpenAPIHono<Env>, version: string): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Tocsin', version, description: 'A brokerless mesh for threat intelligence.' },
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
