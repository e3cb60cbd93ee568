import { expect, test } from 'vitest';
import { openRooms } from '../../support/rooms.ts';

type Node = Record<string, unknown>;
type Operation = {
  readonly summary?: string;
  readonly security?: readonly Node[];
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: Node }[];
  readonly requestBody?: { content: Node };
  readonly responses: Record<string, { description: string; content?: Node }>;
};
type Document = {
  readonly openapi: string;
  readonly info: Node;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly securitySchemes: Node; readonly schemas?: Node };
};

async function readDocument() {
  const rooms = await openRooms();
  const response = await rooms.app.request('/openapi.json');
  return { rooms, document: (await response.json()) as Document };
}

test('the document is OpenAPI 3.1, and each of its references leads somewhere', async () => {
  const { rooms, document } = await readDocument();
  await using _ = rooms;
  expect(document.openapi).toMatch(/^3\.1\.\d+$/);
  expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === '$ref') {
        const found = String(inner)
          .slice(2)
          .split('/')
          .reduce<unknown>((at, name) => (at as Node)?.[name], document);
        expect(found, String(inner)).toBeDefined();
      }
      // 3.1 is JSON Schema 2020-12, which has no `nullable` (OpenAPI 3.1.0, section 4.8.24).
      expect(key).not.toBe('nullable');
      visit(inner);
    }
  };
  visit(document);
});

test('each operation says what it is, what it answers, which token it needs, and its path parameters', async () => {
  const { rooms, document } = await readDocument();
  await using _ = rooms;
  const schemes = Object.keys(document.components.securitySchemes);
  for (const [path, item] of Object.entries(document.paths)) {
    expect(path).toMatch(/^\//);
    for (const [method, operation] of Object.entries(item)) {
      const name = `${method} ${path}`;
      expect(operation.summary, name).toBeTruthy();
      expect(Object.keys(operation.responses).length, name).toBeGreaterThan(0);
      for (const response of Object.values(operation.responses))
        expect(response.description, name).toBeTruthy();
      for (const one of operation.security ?? [])
        for (const scheme of Object.keys(one)) expect(schemes).toContain(scheme);
      for (const [, parameter] of path.matchAll(/\{(\w+)\}/g)) {
        expect(operation.parameters).toContainEqual(
          expect.objectContaining({ name: parameter, in: 'path', required: true }),
        );
      }
      if (operation.security?.length) {
        expect(operation.responses, name).toMatchObject({ 401: expect.anything() });
      }
    }
  }
});

test('every route that answers is in the document, and the other way round', async () => {
  const { rooms, document } = await readDocument();
  await using _ = rooms;
  const served = rooms.app.routes
    .filter(({ method, path }) => method !== 'ALL' && !path.includes('*'))
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')}`);
  const documented = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path}`),
  );
  expect([...new Set(served)].sort()).toEqual(documented.sort());
});
