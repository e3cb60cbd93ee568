/** What a run prints, each line with its time, and what it holds against the product. */
export type Journal = {
  /** Milliseconds since the run began. */
  nowMs(): number;
  say(line: string): void;
  /** Something that must not be: printed at once, and the run fails. Of many of one kind only the first are kept. */
  problem(kind: string, sentence: string): void;
  problems(): readonly string[];
};

const keptOfAKindMax = 5;

export function createJournal(print: (line: string) => void): Journal {
  const startMs = performance.now();
  const counts = new Map<string, number>();
  const kept: string[] = [];
  const nowMs = (): number => performance.now() - startMs;
  const say = (line: string): void => print(`${(nowMs() / 1_000).toFixed(1).padStart(6)} s  ${line}`);
  return {
    nowMs,
    say,
    problem(kind, sentence) {
      const count = (counts.get(kind) ?? 0) + 1;
      counts.set(kind, count);
      if (count > keptOfAKindMax) return;
      kept.push(sentence);
      say(`PROBLEM  ${sentence}`);
    },
    problems: () => [
      ...kept,
      ...[...counts]
        .filter(([, count]) => count > keptOfAKindMax)
        .map(([kind, count]) => `${kind}: ${count} in all, of which ${keptOfAKindMax} are shown`),
    ],
  };
}
