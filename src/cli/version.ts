import { createRequire } from 'node:module';

/** The package's version, found the same way from the sources and from the build. */
export function version(): string {
  const manifest: { version: string } = createRequire(import.meta.url)('tocsin/package.json');
  return manifest.version;
}
