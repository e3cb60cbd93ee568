import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../access/tokens.ts';
import type { OfferedWebSocket } from './upgrade.ts';

/** What middleware leaves for a route. */
export type Env = {
  Variables: { principal: Principal };
  /** Absent when no server is in between. */
  Bindings: {
    readonly stopping?: AbortSignal;
    readonly webSocket?: OfferedWebSocket;
    readonly incoming?: IncomingMessage;
    readonly outgoing?: ServerResponse;
  };
};
