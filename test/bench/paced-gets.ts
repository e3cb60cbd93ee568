import { Agent, get } from 'node:http';

const connectionsMax = 16;

/**
 * Sends GETs at a fixed rate, whether the answers come or not, and answers how long each took to its last byte, in milliseconds:
 * counted from when it was to be sent, so that a server that stalls is not spared the requests that it kept waiting.
 */
export async function pacedGets(
  url: string,
  token: string,
  paths: readonly string[],
  perSecond: number,
): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  const headers = { authorization: `Bearer ${token}` };
  const tookMs: number[] = [];
  const startMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    let sent = 0;
    const timer = setInterval(() => {
      const due = Math.min(paths.length, Math.floor(((performance.now() - startMs) * perSecond) / 1_000));
      for (; sent < due; sent++) {
        const dueMs = startMs + (sent * 1_000) / perSecond;
        get(url + paths[sent], { agent, headers }, (response) => {
          if (response.statusCode !== 200) reject(new Error(`the node answers ${response.statusCode}`));
          response.resume().once('end', () => {
            if (tookMs.push(performance.now() - dueMs) === paths.length) resolve();
          });
        }).once('error', reject);
      }
      if (sent === paths.length) clearInterval(timer);
    }, 1);
  });
  agent.destroy();
  return tookMs;
}
