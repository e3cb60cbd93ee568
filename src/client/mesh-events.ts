import { type Closable, closable } from './closable.ts';
import { strangeAnswer } from './errors.ts';
import { follow, type StreamState } from './follow.ts';
import type { ClientParts } from './http.ts';
import { type JsonObject, parseObject, textOf } from './values.ts';

/** What happens in the mesh, as the node tells it; what else is there depends on `kind` (docs/mesh.md). */
export type MeshEvent = JsonObject & {
  /** `peer-entered`, `peer-exited`, `peer-joined` and so on. */
  readonly kind: string;
  readonly time?: string;
};

export type MeshEventsOptions = {
  readonly signal?: AbortSignal | undefined;
  readonly onState?: ((state: StreamState) => void) | undefined;
};

/** `createClient(...).meshEvents`: each connection begins with the peers that are there. */
export function openMeshEvents(
  parts: ClientParts,
  { signal: until, onState }: MeshEventsOptions,
): Closable<MeshEvent> {
  return closable((signal) => {
    return follow(parts, {
      path: '/mesh/events',
      query: new URLSearchParams(),
      after: () => undefined,
      read({ data }, { url }) {
        if (data === undefined) return undefined;
        const event = parseObject(data);
        if (textOf(event?.['kind']) === undefined)
          throw strangeAnswer(url, 'sent what is no event of a mesh');
        return event as MeshEvent;
      },
      onState,
      signal,
    });
  }, until);
}
