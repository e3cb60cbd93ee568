import type { IndicatorRecord } from '../indicator/types.ts';
import type { Match } from './match.ts';

/** `match` is absent when everything was asked for. */
export type Answer = { readonly record: IndicatorRecord; readonly match?: Match };

/** `next` is there when there may be more: where to go on. */
export type QueryPage = { readonly answers: readonly Answer[]; readonly next?: string };
