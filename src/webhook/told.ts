/** What an operator is told, by sentences in the log that say what to do. */
export type Told = {
  readonly info: (message: string) => void;
  readonly warn: (message: string, details?: Record<string, unknown>) => void;
};
