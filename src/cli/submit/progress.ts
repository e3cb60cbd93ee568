import type { Output } from '../io.ts';
import { submitLimits } from './limits.ts';
import type { Tally } from './tally.ts';

export type Progress = {
  /** Shows the tally if it is time to. */
  update(bytesRead: number): Promise<void>;
  /** Shows a sentence, such as why nothing moves. */
  say(sentence: string): Promise<void>;
  /** Clears the line of a terminal. */
  end(): Promise<void>;
};

/**
 * Progress on standard error: one line that is drawn anew on a terminal, and a line every few seconds elsewhere.
 * @param totalBytes size of the file; undefined when nobody knows it
 */
export function createProgress(
  tally: Tally,
  output: Output,
  nowMs: () => number,
  totalBytes: number | undefined,
): Progress {
  const startMs = nowMs();
  const everyMs = output.isTTY ? submitLimits.drawEveryMs : submitLimits.noteEveryMs;
  let lastMs = startMs;
  // Erase in Line (ECMA-48 8.3.41), so that a shorter line leaves nothing of a longer one.
  const clear = output.isTTY ? '\r\u001b[K' : '';
  return {
    async update(bytesRead) {
      const now = nowMs();
      if (now - lastMs < everyMs) return;
      lastMs = now;
      const line = progressLine(
        tally,
        now - startMs,
        totalBytes === undefined ? undefined : bytesRead / totalBytes,
      );
      await output.write(output.isTTY ? `${clear}${line}` : `${line}\n`);
    },
    say: (sentence) => output.write(`${clear}${sentence}\n`),
    end: () => (clear === '' ? Promise.resolve() : output.write(clear)),
  };
}

function progressLine(tally: Tally, elapsedMs: number, part: number | undefined): string {
  const rate = Math.round((tally.rows * 1_000) / Math.max(elapsedMs, 1));
  const words = [`${grouped(tally.rows)} rows`, `${grouped(rate)}/s`, `${grouped(tally.refused)} refused`];
  if (part !== undefined) words.unshift(`${Math.min(100, Math.floor(part * 100))} %`);
  return words.join('  ');
}

/** 11126 as 11,126. */
export function grouped(count: number): string {
  return count.toLocaleString('en');
}
