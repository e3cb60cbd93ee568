import { startServer } from '../../src/facade/server.ts';
import { openRooms } from './rooms.ts';

/** The rooms under HTTP, with a real server before them. */
export async function serveRooms(seed = 1) {
  const rooms = await openRooms(seed);
  const server = await startServer(rooms.app.fetch, '127.0.0.1', 0, rooms.clock);
  return {
    ...rooms,
    server,
    url: server.url,
    port: Number(new URL(server.url).port),
    async [Symbol.asyncDispose]() {
      await server.stop();
      await rooms[Symbol.asyncDispose]();
    },
  };
}
