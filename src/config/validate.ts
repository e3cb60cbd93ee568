import { isLoopback } from './loopback.ts';
import type { RawSettings } from './read.ts';
import {
  type Config,
  type Setting,
  type SettingKey,
  type Settings,
  settingKeys,
  settings,
} from './settings.ts';

export type Validated =
  | {
      readonly ok: true;
      readonly config: Config;
      /** Sentences about what is allowed and still deserves a thought. */
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Turns what was read into a Config, or says everything that is wrong at once, each with its source and what is allowed. */
export function validateSettings(raw: RawSettings): Validated {
  const problems = [...raw.problems];
  const values: Partial<Record<SettingKey, unknown>> = {};
  for (const key of settingKeys) {
    const setting: Setting = settings[key];
    const found = raw.found.get(key);
    if (found === undefined) {
      values[key] = setting.default;
      continue;
    }
    const parsed = setting.schema.safeParse(found.value);
    if (parsed.success) values[key] = parsed.data;
    else problems.push(sentenceOf(setting, found.source, found.value, parsed.error.issues));
  }
  if (problems.length > 0) return { ok: false, problems };
  // Each value came out of its own schema or is its default, which is what Settings says.
  const config: Config = { ...(values as Settings), setByHand: new Set(raw.found.keys()) };
  const unsafe = [
    meshExposure(config),
    pullExposure(config),
    keyProblem(config),
    seedProblem(config),
    livenessProblem(config),
  ].filter((problem) => problem !== undefined);
  if (unsafe.length > 0) return { ok: false, problems: unsafe };
  return { ok: true, config, warnings: [...warningsOf(config)] };
}

type Issue = { readonly code?: string | undefined; readonly message: string };

function sentenceOf(setting: Setting, source: string, value: unknown, issues: readonly Issue[]): string {
  // A schema's own sentence says more than the table's; zod's say less.
  const own = issues.find((issue) => issue.code === 'custom' && issue.message !== 'Invalid input');
  if (own !== undefined) return `${source}: ${own.message}`;
  // A setting without a flag is a secret: its value stays out of terminals and logs.
  const shown = setting.flag === undefined ? 'not readable' : JSON.stringify(value);
  return `${source} is ${shown}: ${setting.allowed} is allowed.`;
}

function meshExposure(config: Config): string | undefined {
  if (config.meshKey !== undefined || isLoopback(config.meshHost) || config.insecureMesh) return undefined;
  return (
    `The mesh would be open to every machine that reaches ${config.meshHost}. Make a key with \`tocsin keygen\` and give it ` +
    'to every node as TOCSIN_MESH_KEY, keep --mesh-host 127.0.0.1, or, on a network that you trust, say so with ' +
    '--insecure-mesh (TOCSIN_INSECURE_MESH=true).'
  );
}

/** Whoever reaches the port may write. */
function pullExposure({ pullPort, pullHost, streamKey }: Config): string | undefined {
  if (pullPort === undefined || streamKey !== undefined || isLoopback(pullHost)) return undefined;
  return (
    `ZeroMQ PULL at ${pullHost} would take indicators of every machine that reaches it. Make a key with \`tocsin keygen ` +
    '--stream` and set it as TOCSIN_STREAM_KEY (`tocsin keygen --pair` prints what a sensor needs of it), or keep --pull-host ' +
    '127.0.0.1.'
  );
}

function keyProblem({ meshKey, meshKeyPrevious }: Config): string | undefined {
  if (meshKeyPrevious === undefined) return undefined;
  const variable = settings.meshKeyPrevious.variable;
  if (meshKey === undefined) {
    return `${variable} is set and ${settings.meshKey.variable} is not: a mesh has a key before it can have a previous one.`;
  }
  return meshKey.equals(meshKeyPrevious)
    ? `${variable} is the key of the mesh itself. Name the key that it replaces, or unset it once every node has the new one.`
    : undefined;
}

/** Out of this order nobody is asked before it is given up, and live peers drop one another. */
function livenessProblem({ peerEvasiveMs, peerSilentMs, peerExpiredMs }: Config): string | undefined {
  if (peerEvasiveMs < peerSilentMs && peerSilentMs < peerExpiredMs) return undefined;
  const { peerEvasiveMs: evasive, peerSilentMs: silent, peerExpiredMs: expired } = settings;
  return `${evasive.variable}, ${silent.variable} and ${expired.variable} have to grow in this order; they are ${peerEvasiveMs}, ${peerSilentMs} and ${peerExpiredMs}.`;
}

/** A seed that nothing would ask is a mistake that shows hours later. */
function seedProblem({ seeds, discovery }: Config): string | undefined {
  const unasked = seeds.find((seed) => !discovery.includes(seed.startsWith('dns:') ? 'dns' : 'gossip'));
  if (unasked !== undefined) {
    const way = unasked.startsWith('dns:') ? 'dns' : 'gossip';
    return `The seed ${unasked} needs ${way}, which is not among ${settings.discovery.flag} ${discovery.join(',')}.`;
  }
  return discovery.every((way) => way === 'dns') && seeds.length === 0
    ? 'dns finds nobody without a seed: name one as dns://name:port or dns://_service._tcp.name in --seeds.'
    : undefined;
}

function* warningsOf(config: Config): Generator<string> {
  if (!isLoopback(config.httpHost)) {
    yield `HTTP binds ${config.httpHost} without TLS: tokens travel in clear. Put a TLS proxy in front of it.`;
  }
  if (!isLoopback(config.streamHost) && config.streamKey === undefined) {
    yield `The ZeroMQ stream binds ${config.streamHost} in clear and asks for no token: whoever reaches it reads every indicator. A key of \`tocsin keygen --stream\` as TOCSIN_STREAM_KEY closes it.`;
  }
  if (config.meshKey !== undefined && config.insecureMesh) {
    yield 'The mesh has a key, so it is encrypted; --insecure-mesh does nothing.';
  }
  if (config.meshKey === undefined && !isLoopback(config.meshHost)) {
    yield `The mesh binds ${config.meshHost} in clear: whoever reaches it can read and add indicators.`;
  }
}
