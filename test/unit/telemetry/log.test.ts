import { expect, test } from 'vitest';

import { createLogger } from '../../../src/telemetry/log.ts';

function capture(isTTY: boolean) {
  const lines: string[] = [];
  return { lines, isTTY, write: (text: string) => lines.push(text) };
}

test('a file or pipe gets one JSON object a line', () => {
  const stream = capture(false);
  createLogger('info', stream).info({ peer: 'alpha' }, 'peer joined');
  const [line] = stream.lines;
  expect(JSON.parse(line ?? '')).toMatchObject({ level: 'info', peer: 'alpha', msg: 'peer joined' });
});

test('a terminal gets a sentence', () => {
  const stream = capture(true);
  createLogger('info', stream).warn({ peer: 'alpha', err: new Error('lost') }, 'peer left');
  expect(stream.lines).toEqual([
    expect.stringMatching(/^\d\d:\d\d:\d\d WARN peer left peer=alpha error=lost\n$/),
  ]);
});

test.each(['err', 'error'])('an error under the name %s says what it is about', (name) => {
  const [file, terminal] = [capture(false), capture(true)];
  for (const stream of [file, terminal])
    createLogger('info', stream).warn({ [name]: new Error('lost') }, 'a fault');
  expect(JSON.parse(file.lines[0] ?? '')).toMatchObject({ [name]: { message: 'lost' } });
  expect(terminal.lines[0]).toMatch(/a fault error=lost\n$/);
});

test('a terminal never gets a control character out of data', () => {
  const stream = capture(true);
  createLogger('info', stream).info({ peer: 'a\u001b[2Jb\u202e' }, 'two\nlines');
  expect(stream.lines[0]).toMatch(/two\\u\{a\}lines peer=a\\u\{1b\}\[2Jb\\u\{202e\}\n$/);
});

test.each([true, false])('tokens are left out (terminal: %s)', (isTTY) => {
  const stream = capture(isTTY);
  createLogger('info', stream).info(
    { token: 'hush-1', request: { headers: { authorization: 'Bearer hush-2' }, token: 'hush-3' } },
    'request',
  );
  expect(stream.lines.join('')).not.toContain('hush');
});

test('a level below the one asked for writes nothing', () => {
  const stream = capture(false);
  createLogger('warn', stream).info('quiet');
  expect(stream.lines).toEqual([]);
});
