import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type LineProcess, spawnLines } from '../../support/process.ts';

export type NatsServer = { readonly name: string; readonly url: string; readonly process: LineProcess };

/**
 * Starts `size` clustered nats-servers on loopback; resolves once they take clients. `settingsOf` a server's name answers
 * lines of its own; the files of all are written to `directory`.
 */
export async function startNatsServers(
  size: number,
  settingsOf: (name: string) => string,
  directory: string,
): Promise<readonly NatsServer[]> {
  const ports = await freePorts(size * 2);
  const routes = ports.slice(size).map((port) => `nats://127.0.0.1:${port}`);
  const servers: NatsServer[] = [];
  for (const [i, port] of ports.slice(0, size).entries()) {
    const name = `n${i + 1}`;
    const file = join(directory, `${name}.conf`);
    await writeFile(
      file,
      `server_name: ${name}
listen: 127.0.0.1:${port}
${settingsOf(name)}
cluster { name: bench, listen: 127.0.0.1:${ports[size + i]}, routes: [${routes.join(', ')}] }
`,
    );
    const running = await spawnLines('nats-server', ['-c', file]);
    servers.push({ name, url: `nats://127.0.0.1:${port}`, process: running });
  }
  await Promise.all(servers.map(({ process: running }) => running.line(/Server is ready/)));
  return servers;
}

async function freePorts(count: number): Promise<readonly number[]> {
  const listeners = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = listeners.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(listeners.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
