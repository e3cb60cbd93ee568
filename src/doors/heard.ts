import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { readName } from '../indicator/fields.ts';
import { observationLimits } from '../indicator/limits.ts';
import { parseObservation, standardDefaults } from '../indicator/observation.ts';
import type { Intake } from '../intake/intake.ts';
import { readJsonMessage } from '../intake/json-message.ts';
import type { Row } from '../intake/row.ts';
import type { IndicatorStore } from '../store/store.ts';
import { groupLimits as limits } from './limits.ts';
import type { Tally } from './tally.ts';

/** A peer that is no node of ours, as it introduced itself. */
export type Stranger = { readonly id: string; readonly name: string };

export type HeardParts = {
  readonly intake: Pick<Intake, 'submit' | 'hasRoomFor'>;
  readonly store: Pick<IndicatorStore, 'byValue'>;
  readonly clock: Clock;
  readonly tally: Tally;
  /**
   * This node's place in the line of those that take something by its key: 0 is the owner. Each node of the group works out
   * the same line.
   */
  readonly placeOf: (key: string) => number;
};

/** What foreign peers say, on its way into intake. */
export interface Heard {
  /** Every node of the group hears a shout, and one takes it: the owner, or the next in line that finds that it did not. */
  shout(from: Stranger, frames: readonly Uint8Array[]): void;
  /** A whisper was for this node alone. */
  whisper(from: Stranger, frames: readonly Uint8Array[]): void;
  /** Takes what it has taken on to the end; hears nothing more. */
  stop(): Promise<void>;
}

type Watched = { readonly bytes: number; readonly timer: { stop(): void } };

export function createHeard({ intake, store, clock, tally, placeOf }: HeardParts): Heard {
  const taking = new Set<Promise<void>>();
  const watched = new Set<Watched>();
  let watchedBytes = 0;
  let rowsInFlight = 0;
  let stopped = false;

  function contentOf(frames: readonly Uint8Array[]): Uint8Array | undefined {
    const [frame, ...more] = frames;
    if (frame !== undefined && more.length === 0) return frame;
    tally.refuse('many-frames', `${frames.length} frames; a message is one frame of JSON`);
    return undefined;
  }

  function take(from: Stranger, content: Uint8Array): void {
    const rows = readJsonMessage(content);
    if (!rows.ok) tally.refuse(rows.code, rows.reason);
    else run(enter(rows.value, from));
  }

  function run(task: Promise<void>): void {
    const running: Promise<void> = task
      .catch((error: unknown) => tally.refuse('not-stored', messageOf(error)))
      .finally(() => taking.delete(running));
    taking.add(running);
  }

  /** Nobody waits for an answer, and a stranger cannot be held up: what does not fit is dropped and counted. */
  async function enter(said: readonly Row[], from: Stranger): Promise<void> {
    if (rowsInFlight + said.length > limits.rowsInFlightMax || !intake.hasRoomFor(said.length)) {
      tally.refuse('busy', 'they come faster than they are stored', said.length);
      return;
    }
    rowsInFlight += said.length;
    try {
      const defaults = { ...standardDefaults, provider: providerOf(from) };
      const { accepted, refused } = await intake.submit(said.map(ofStranger), defaults, 'local');
      tally.count('rows', said.length);
      tally.count('accepted', accepted);
      for (const { code, reason } of refused) tally.refuse(code, reason);
    } finally {
      rowsInFlight -= said.length;
    }
  }

  function watch(from: Stranger, content: Uint8Array, place: number): void {
    const bytes = content.byteLength;
    if (watched.size >= limits.watchedMax || watchedBytes + bytes > limits.watchedBytesMax) {
      tally.count('unwatched');
      return;
    }
    const heardMs = clock.wallMs();
    const timer = clock.after(place * limits.takeOverAfterMs, () => {
      watched.delete(one);
      watchedBytes -= bytes;
      run(takeOver(from, content, heardMs));
    });
    const one: Watched = { bytes, timer };
    watched.add(one);
    watchedBytes += bytes;
  }

  /** What the owner has not stored: it died, or did not hear it, as not every foreign peer knows every node. */
  async function takeOver(from: Stranger, content: Uint8Array, heardMs: number): Promise<void> {
    const rows = readJsonMessage(content);
    // The owner counts what is wrong with it.
    if (!rows.ok) return;
    const missing: Row[] = [];
    for (const row of rows.value) if (await isMissing(row, from, heardMs)) missing.push(row);
    if (missing.length === 0) return;
    tally.count('taken-over', missing.length);
    await enter(missing, from);
  }

  async function isMissing(row: Row, from: Stranger, heardMs: number): Promise<boolean> {
    const said = ofStranger(row);
    if (!('value' in said)) return false;
    const provider = providerOf(from);
    const parsed = parseObservation(said.value, { ...standardDefaults, provider }, clock.wallMs());
    if (!parsed.ok) return false;
    const { itype, indicator, group } = parsed.value;
    const records = await store.byValue(itype, indicator);
    return !records.some(
      (record) =>
        record.provider === provider &&
        record.group === group &&
        record.reporttimeMs >= heardMs - limits.clockSkewMsMax,
    );
  }

  return {
    shout(from, frames) {
      const content = stopped ? undefined : contentOf(frames);
      if (content === undefined) return;
      const place = placeOf(createHash('sha256').update(content).digest('hex'));
      tally.count('heard');
      if (place === 0) take(from, content);
      else watch(from, content, place);
    },
    whisper(from, frames) {
      const content = stopped ? undefined : contentOf(frames);
      if (content === undefined) return;
      tally.count('whispered');
      take(from, content);
    },
    async stop() {
      stopped = true;
      for (const { timer } of watched) timer.stop();
      watched.clear();
      await Promise.all(taking);
    },
  };
}

/** Whose word it is, it does not choose, nor who may see it. */
function ofStranger(row: Row): Row {
  if (!('value' in row) || typeof row.value !== 'object' || row.value === null || Array.isArray(row.value))
    return row;
  return { row: row.row, value: { ...row.value, provider: undefined, group: undefined } };
}

/** Its name as a provider's: what may not be in one becomes a dash. Without a letter of its own it is told by its id. */
export function providerOf({ id, name }: Stranger): string {
  const provider = readName(
    name.replaceAll(/[^A-Za-z0-9._@:-]+/g, '-').slice(0, observationLimits.nameCharactersMax),
  );
  return provider.ok && /[A-Za-z0-9]/.test(provider.value)
    ? provider.value
    : `zyre-${id.slice(0, 8).toLowerCase()}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
