import { writeFileSync } from 'node:fs';
import { type Setting, settings } from '../../src/config/settings.ts';

/** The page of all settings, made from the one table of them. `npm run docs:settings` writes it; a test compares it. */
export function settingsPage(): string {
  const rows = Object.values(settings).map((setting: Setting) => {
    const flag =
      setting.flag === undefined
        ? '–'
        : `\`${setting.flag}${setting.argument ? ` <${setting.argument}>` : ''}\``;
    const byDefault = Array.isArray(setting.default) ? setting.default.join(',') : setting.default;
    const shown = byDefault === undefined || byDefault === '' ? '–' : `\`${String(byDefault)}\``;
    return `| ${flag} | \`${setting.variable}\` | \`${setting.yaml}\` | ${shown} | ${setting.help} |`;
  });
  return `# Settings of \`tocsin start\`

A flag wins over a variable, a variable over the file (\`--config <path>\` or \`TOCSIN_CONFIG\`, YAML), the file over the default.
A variable or a key that is not in this table is an error, so that a typo does not go unseen.

| flag | variable | key | default | what |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(new URL('../../docs/settings.md', import.meta.url), settingsPage());
}
