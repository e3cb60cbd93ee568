import type { Principal } from '../access/tokens.ts';

/** What middleware leaves for a route. */
export type Env = { Variables: { principal: Principal; requestId: string } };
