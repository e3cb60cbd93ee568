/** What the command tells the shell. Every command's help shows those that it uses. */
export const exitCodes = {
  ok: 0,
  /** It ran and the answer is no: nothing found, nothing accepted, not started. */
  failed: 1,
  /** A flag, a file or a filter that cannot be used as it is. */
  usage: 2,
  unreachable: 3,
  notAllowed: 4,
  /** 128 and the number of the signal, as shells count. */
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The end of a command that did not succeed; the message is for the person, and says what to do next. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}
