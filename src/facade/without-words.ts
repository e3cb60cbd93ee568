/**
 * An error as the log may have it when the question is to leave no trace: its kind, its code and where it happened. Its message
 * and its other fields may repeat what was asked.
 */
export function withoutWords(error: unknown): Error {
  const bare = new Error('its message is left out: the question asked for nolog');
  if (!(error instanceof Error)) return bare;
  const { stack = '', name } = error;
  bare.name = name;
  bare.stack = [`${name}: ${bare.message}`, ...stack.split('\n').filter((line) => /^\s+at /.test(line))].join(
    '\n',
  );
  if ('code' in error && typeof error.code === 'string' && /^[A-Z_]{1,40}$/.test(error.code))
    Object.assign(bare, { code: error.code });
  return bare;
}
