import type { StreamState } from '../client/client.ts';
import type { Io } from './io.ts';
import { printable } from './printable.ts';

/**
 * Tells on standard error what becomes of a stream's connection. An opening that went well is nothing to tell; of one that did not,
 * the error that ends the command tells all.
 */
export function tellStates(io: Io): (state: StreamState) => void {
  let early: string[] | undefined = [];
  return (state) => {
    const sentence = printable(sentenceOf(state));
    if (early !== undefined) {
      early.push(sentence);
      if (state.kind !== 'connected') return;
    }
    const told = early ?? [sentence];
    const isNothing = early?.length === 1;
    early = undefined;
    // A stream goes on without the reader of its remarks.
    if (!isNothing) io.stderr.write(`${told.join('\n')}\n`).catch(() => undefined);
  };
}

function sentenceOf(state: StreamState): string {
  switch (state.kind) {
    case 'connected':
      return `Connected to ${state.node}.`;
    case 'reconnected':
      return `Reconnected to ${state.node}${after(state.after)}.`;
    case 'moved':
      return `Moved from ${state.from} to ${state.node}${after(state.after)}.`;
    case 'lost':
      return `Lost ${state.node} (${state.reason}); connecting again${after(state.after)} in ${inSeconds(state.waitMs)}.`;
    case 'failed':
      return `No stream from ${state.node}: ${state.reason}`;
    case 'waiting':
      return `Trying again in ${inSeconds(state.waitMs)}.`;
    default:
      return state satisfies never;
  }
}

function after(cursor: string | undefined): string {
  return cursor === undefined ? '' : ` after ${cursor}`;
}

function inSeconds(ms: number): string {
  return `${ms / 1_000} s`;
}
