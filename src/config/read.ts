import { open } from 'node:fs/promises';

import { didYouMean } from './closest.ts';
import { configLimits } from './limits.ts';
import { commandVariables, type SettingKey, settingKeys, settings } from './settings.ts';

/** A value as it was found, and where, so that an error can name the place. */
export type RawSetting = { readonly value: unknown; readonly source: string };

/** What the three sources hold, the strongest winning, and a sentence for each thing in them that means nothing. */
export type RawSettings = {
  readonly found: ReadonlyMap<SettingKey, RawSetting>;
  readonly problems: readonly string[];
};

export type ConfigSources = {
  /** By key of the settings table: text of the flag, `true` of one without argument. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--config`; otherwise `TOCSIN_CONFIG` is read. */
  readonly file?: string;
};

/** Gathers every setting: flag > variable > file. An empty variable is one that is not set, as compose files write it. */
export async function readSettings(sources: ConfigSources): Promise<RawSettings> {
  const { flags, env } = sources;
  const problems = [...problemsOfVariables(env)];
  const file = sources.file ?? (env['TOCSIN_CONFIG'] || undefined);
  const document = file === undefined ? {} : await readFile(file, problems);
  const found = new Map<SettingKey, RawSetting>();
  for (const key of settingKeys) {
    const setting = settings[key];
    const fromFile = document[setting.yaml];
    if (flags[key] !== undefined && 'flag' in setting) {
      found.set(key, { value: flags[key], source: setting.flag });
    } else if (env[setting.variable]) {
      found.set(key, { value: env[setting.variable], source: setting.variable });
    } else if (fromFile !== undefined && fromFile !== null) {
      found.set(key, { value: fromFile, source: `${setting.yaml} in ${file}` });
    }
  }
  return { found, problems };
}

function* problemsOfVariables(env: ConfigSources['env']): Generator<string> {
  const known: readonly string[] = [...settingKeys.map((key) => settings[key].variable), ...commandVariables];
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith('TOCSIN_') || !value || isServiceLink(variable, value)) continue;
    if (!known.includes(variable)) {
      yield `${variable} is no variable of Tocsin.${didYouMean(variable, known)} \`tocsin start --help\` lists them.`;
    }
  }
}

/**
 * Kubernetes sets such variables for a Service named `tocsin` (kubernetes.io, "Accessing the Service: environment
 * variables"); they are no typing errors of the operator.
 */
function isServiceLink(variable: string, value: string): boolean {
  if (/_SERVICE_(HOST|PORT)(_\w+)?$/.test(variable)) return true;
  return /_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/.test(variable)
    ? /_\d+_(TCP|UDP|SCTP)/.test(variable) || /^(tcp|udp|sctp):\/\//.test(value)
    : false;
}

async function readFile(file: string, problems: string[]): Promise<Record<string, unknown>> {
  const text = await readText(file);
  if (!text.ok) {
    problems.push(text.reason);
    return {};
  }
  // Only a start with a file pays for loading the YAML parser.
  const { parse } = await import('yaml');
  let content: unknown;
  try {
    content = parse(text.value);
  } catch (error) {
    problems.push(`${file} is no YAML: ${messageOf(error).split('\n')[0]}`);
    return {};
  }
  if (content === null || content === undefined) return {};
  if (typeof content !== 'object' || Array.isArray(content)) {
    problems.push(`${file} must hold lines of \`key: value\`, such as \`http_port: 8480\`.`);
    return {};
  }
  const known = settingKeys.map((key) => settings[key].yaml);
  for (const key of Object.keys(content)) {
    if (!known.some((name) => name === key)) {
      problems.push(`${key} in ${file} is no setting of Tocsin.${didYouMean(key, known)}`);
    }
  }
  return content as Record<string, unknown>;
}

type Text = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: string };

async function readText(file: string): Promise<Text> {
  try {
    await using handle = await open(file, 'r');
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(configLimits.fileBytesMax + 1) });
    if (bytesRead > configLimits.fileBytesMax) {
      return {
        ok: false,
        reason: `${file} is larger than ${configLimits.fileBytesMax} bytes; no settings file is.`,
      };
    }
    return { ok: true, value: buffer.toString('utf8', 0, bytesRead) };
  } catch (error) {
    return { ok: false, reason: `The settings file cannot be read: ${messageOf(error)}.` };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
