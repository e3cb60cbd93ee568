// Run after `npm install` where the registry does not serve every platform's optional packages: npm then leaves them out of
// package-lock.json, and `npm ci` refuses the file. Adds them by name and version, so that the lock is whole on every platform.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('../../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));
const systems = ['darwin', 'win32', 'android', 'freebsd', 'openharmony', 'linux', 'sunos', 'netbsd', 'openbsd', 'aix'];
const processors = ['arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32', 'arm'];

for (const owner of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    if (lock.packages[path] !== undefined || !/^\d/.test(version)) continue;
    const parts = name.split(/[-/]/);
    const os = systems.filter((system) => parts.includes(system));
    const cpu = processors.filter((processor) => parts.includes(processor));
    lock.packages[path] = {
      version,
      ...(cpu.length > 0 && { cpu }),
      ...(owner.dev && { dev: true }),
      optional: true,
      ...(os.length > 0 && { os }),
      ...(name.includes('musl') && { libc: ['musl'] }),
      ...(owner.engines && { engines: owner.engines }),
    };
    console.log(`added ${name}@${version} (${[...os, ...cpu].join(' ') || 'any'})`);
  }
}
const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted);
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
