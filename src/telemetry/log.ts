import { type Logger, pino, stdSerializers } from 'pino';

import { formatLine } from './format-line.ts';

export type { Logger } from 'pino';

/** Where lines go: standard error. A terminal gets sentences, anything else JSON, one object a line. */
export type LogStream = { write(text: string): unknown; readonly isTTY?: boolean };

/** Whatever carries one of these names is a secret; pino replaces it before a line is made. */
const secretNames = ['token', 'adminToken', 'secret', 'authorization', 'password', 'privateKeyPem'];

/** @param level a pino level, or `silent` */
export function createLogger(level: string, stream: LogStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // Under `err` pino writes an error's message by itself.
      serializers: { error: stdSerializers.err },
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.headers.${name}`]),
        censor: '[redacted]',
      },
    },
    stream.isTTY === true ? { write: (line: string) => stream.write(formatLine(line)) } : stream,
  );
}
