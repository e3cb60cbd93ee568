import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';

/**
 * The direction of flow as a check: each room of src/ may import only the rooms named here, mesh/ nothing of src/, and only
 * `replicate` and `compose` the mesh. Cycles within a room are biome's to find. Exits 1 with a line for each import that
 * goes upward.
 */
const free = ['parsed.ts', 'clock.ts', 'replace-file.ts'];
const rooms: Readonly<Record<string, readonly string[]>> = {
  'parsed.ts': [],
  'clock.ts': [],
  'replace-file.ts': [],
  indicator: [],
  event: ['indicator'],
  store: ['event', 'indicator'],
  access: [],
  config: ['indicator'],
  telemetry: [],
  intake: ['store', 'event', 'indicator'],
  query: ['store', 'indicator'],
  feed: ['query', 'store', 'indicator'],
  stream: ['query', 'store', 'event', 'indicator'],
  webhook: ['stream', 'query', 'store', 'event', 'indicator'],
  doors: ['stream', 'intake', 'store', 'event', 'indicator'],
  replicate: ['store', 'event', 'indicator', 'tocsin/mesh'],
  facade: ['intake', 'query', 'feed', 'stream', 'webhook', 'access', 'store', 'event', 'indicator'],
  client: [],
  'data-directory.ts': ['event', 'store'],
  cli: ['client', 'config', 'event', 'feed', 'indicator', 'telemetry'],
  'main.ts': ['cli', 'compose.ts', 'telemetry', 'config', 'tocsin/mesh'],
};
/** See everyone. */
const composed = ['compose.ts', 'compose'];

const problems: string[] = [];
for (const file of [...sources('src'), ...sources('mesh')]) {
  const [top, room = ''] = file.split(sep);
  for (const imported of importsOf(file)) {
    const target = imported.startsWith('.') ? normalize(join(dirname(file), imported)) : imported;
    if (top === 'mesh') {
      if (target.startsWith('src') || target.startsWith('tocsin'))
        problems.push(`${file} imports ${target}: the mesh knows nothing of its cargo`);
      continue;
    }
    if (composed.includes(room)) continue;
    const of = imported.startsWith('.') ? (target.split(sep)[1] ?? '') : target;
    if (!imported.startsWith('.') && !of.startsWith('tocsin/mesh')) continue;
    const allowed = rooms[room];
    if (allowed === undefined)
      problems.push(`${file}: ${room} is no room; name it in ${relative('.', import.meta.filename)}`);
    else if (of !== room && !allowed.includes(of) && !free.includes(of)) {
      problems.push(`${file} imports ${of}: ${room} may import ${[...allowed, ...free].join(', ')}`);
    }
  }
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function sources(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(directory, name));
}

function importsOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'([^']+)'/g)].flatMap(([, path]) => path ?? []);
}
