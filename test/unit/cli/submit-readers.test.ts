import { expect, test } from 'vitest';

import { parseDelimiter } from '../../../src/cli/submit/format.ts';
import { submitLimits } from '../../../src/cli/submit/limits.ts';
import { brief, rowsOfText } from './support/rows.ts';

const addresses = ['1: 192.0.2.1', '2: 192.0.2.2'];

test.each([
  ['LF', '192.0.2.1\n192.0.2.2\n'],
  ['CRLF', '192.0.2.1\r\n192.0.2.2\r\n'],
  ['no line end behind the last', '192.0.2.1\n192.0.2.2'],
  ['a byte order mark', '\ufeff192.0.2.1\n192.0.2.2\n'],
  ['spaces around', '  192.0.2.1 \n\t192.0.2.2\n'],
])('a list with %s gives its two indicators', async (_what, content) => {
  expect(await brief(content)).toEqual(addresses);
});

test.each(['', '\n\n', '\ufeff', '  \r\n'])('a file of %j has no rows', async (content) => {
  expect(await brief(content)).toEqual([]);
  expect(await brief(content, { fileName: 'x.csv', column: 'url' })).toEqual([]);
  expect(await brief(content, { fileName: 'x.json' })).toEqual([]);
});

test('lines keep their numbers over blank lines and remarks', async () => {
  const content = '# list\n\n192.0.2.1 # first\n; more\n// more\nhttp://example.com/#part\n';
  expect(await brief(content, { skipComments: true })).toEqual([
    '3: 192.0.2.1',
    '6: http://example.com/#part',
  ]);
});

test('remarks in a list are no rows, whether --skip-comments is given or not', async () => {
  const content =
    '192.0.2.1\n# no\n; no\n  // no\n192.0.2.2 // yes\n192.0.2.0/24 ; SBL1\nhttp://example.com//a;b#c\n';
  const expected = ['1: 192.0.2.1', '5: 192.0.2.2', '6: 192.0.2.0/24', '7: http://example.com//a;b#c'];
  expect(await brief(content, { format: 'text' })).toEqual(expected);
  expect(await brief(content, { format: 'text', skipComments: true })).toEqual(expected);
  expect(await brief(content, { format: 'whitespace' })).toEqual(expected);
});

test('a filter list gives the names that it blocks; what it lets pass is left to be refused', async () => {
  const content =
    '[Adblock Plus 2.0]\n! Title: list\n!\n||one.example^\n||two.example^$third-party\n@@||three.example^\n';
  expect(await brief(content)).toEqual(['4: one.example', '5: two.example', '6: @@||three.example^']);
});

test('a hosts file gives its hosts, not the address that they are sent to', async () => {
  const content =
    '# hosts\n0.0.0.0 one.example\n127.0.0.1\ttwo.example three.example # both\n::1 four.example\n' +
    '127.0.0.1 localhost localhost.localdomain\n::1 ip6-localhost\n0.0.0.0 0.0.0.0\n';
  expect(await brief(content, { skipComments: true })).toEqual([
    '2: one.example',
    '3: two.example',
    '3: three.example',
    '4: four.example',
  ]);
});

test('a score behind each address is a column, and the address the first', async () => {
  expect(await brief('# IP\tlists\n#\n192.0.2.1\t10\n192.0.2.2\t9\n')).toEqual([
    '3: 192.0.2.1',
    '4: 192.0.2.2',
  ]);
  expect(await brief('192.0.2.1 10\n192.0.2.2  9\n')).toEqual(addresses);
});

test('commas in a plain list of URLs do not make it CSV', async () => {
  expect(await brief('http://example.com/a,b\nhttp://example.com/c,d\n')).toEqual([
    '1: http://example.com/a,b',
    '2: http://example.com/c,d',
  ]);
});

test('--column takes a column of CSV by name, in any case, or by number', async () => {
  const content = 'id,URL,tags\n1,"http://example.com/a,b","x,y"\n2,http://example.com/c,\n';
  const expected = ['2: http://example.com/a,b', '3: http://example.com/c'];
  expect(await brief(content, { column: 'url' })).toEqual(expected);
  expect(await brief(content, { column: '2' })).toEqual(expected);
});

test('a numbered column of a file without header begins with the first row', async () => {
  expect(
    await brief('2026-01-02 03:04:05,example.com\n2026-01-03 03:04:05,example.net\n', { column: '2' }),
  ).toEqual(['1: example.com', '2: example.net']);
});

test('a header in a remark is found, quoted or not, without --skip-comments', async () => {
  const plain = '####\n# made 2026\n# first_seen,url\n2026-01-02,http://example.com/\n';
  expect(await brief(plain, { fileName: 'x.txt', column: 'url' })).toEqual(['4: http://example.com/']);
  const quoted = '# "first_seen", "url"\n"2026-01-02", "http://example.com/"\n';
  expect(await brief(quoted, { fileName: 'x.csv', column: 'url' })).toEqual(['2: http://example.com/']);
});

test("Zeek's header line names the columns behind its own word", async () => {
  const content = '#fields\tindicator\tindicator_type\nexample.com\tIntel::DOMAIN\n';
  expect(await brief(content)).toEqual(['2: example.com']);
});

test('a remark at the end of a CSV is no row', async () => {
  const content = '"url"\n"http://example.com/"\n# END 1 entries';
  expect(await brief(content, { fileName: 'x.csv', column: 'url' })).toEqual(['2: http://example.com/']);
});

test('behind the first row a line of CSV that begins like a remark is a row, unless --skip-comments is given', async () => {
  const content = 'tag,url\n#a,http://example.com/1\n#b,http://example.com/2\n#c\n';
  expect(await brief(content, { column: 'url' })).toEqual([
    '2: http://example.com/1',
    '3: http://example.com/2',
  ]);
  expect(await brief(content, { column: 'url', skipComments: true })).toEqual([]);
});

test('an empty first cell in front of a semicolon is no remark', async () => {
  expect(await brief('id;url\n;http://example.com/\n', { fileName: 'x.csv', column: 'url' })).toEqual([
    '2: http://example.com/',
  ]);
});

test('--delimiter separates what no extension tells', async () => {
  const content = '192.0.2.1#3#2#Scanning Host#IN\n192.0.2.2#4#2##\n';
  expect(await brief(content, { delimiter: '#', column: '1' })).toEqual(addresses);
  expect(await brief('# IP; seen\n192.0.2.1; a, b\n', { delimiter: ';', column: 'ip' })).toEqual([
    '2: 192.0.2.1',
  ]);
});

test.each([
  [';', ';'],
  ['tab', '\t'],
  ['\\t', '\t'],
  ['\t', '\t'],
  ['Pipe', '|'],
  [' ', 'whitespace'],
  ['', undefined],
  ['"', undefined],
  ['a', undefined],
  ['::', undefined],
])('--delimiter %j is %j', (text, expected) => {
  expect(parseDelimiter(text)).toBe(expected);
});

test('cells that say that they say nothing are left out, but not the indicator', async () => {
  const content = 'ip,last,why\n192.0.2.1,None,n/a\n192.0.2.2,2026-01-02,-\nNULL,,\n';
  expect(await rowsOfText(content, { column: 'indicator=ip,lasttime=last,description=why' })).toEqual([
    { kind: 'row', line: 2, value: { indicator: '192.0.2.1' } },
    { kind: 'row', line: 3, value: { indicator: '192.0.2.2', lasttime: '2026-01-02' } },
    { kind: 'row', line: 4, value: { indicator: 'NULL' } },
  ]);
});

test('a quoted cell over several lines counts from its first line', async () => {
  const content = 'note,url\r\n"two\r\nlines",http://example.com/a\r\n\r\nx,http://example.com/b\r\n';
  expect(await brief(content, { column: 'url' })).toEqual([
    '2: http://example.com/a',
    '5: http://example.com/b',
  ]);
});

test('quotes inside a cell that is not quoted are text', async () => {
  expect(await brief('url\nhttp://example.com/"q"\n', { fileName: 'x.csv', column: 'url' })).toEqual([
    '2: http://example.com/"q"',
  ]);
});

test('a quote that is never closed refuses its row, and keeps the rows before and behind', async () => {
  const content = 'url,n\nexample.com,1\n"example.net,2\nexample.org,3\n';
  expect(await brief(content, { column: 'url' })).toEqual(['2: example.com', '3! bad-csv', '4: example.org']);
});

test('text behind a closing quote refuses its row alone', async () => {
  expect(await brief('url,n\n"example.com" x,1\n"example.net",2\n', { column: 'url' })).toEqual([
    '2! bad-csv',
    '3: example.net',
  ]);
});

test('two lone quotes far apart do not swallow the rows between', async () => {
  const between = Array.from({ length: submitLimits.recordLinesMax * 2 }, (_, n) => `${n}.example,1\n`);
  const rows = await brief(`url,n\n5" disk,1\n${between.join('')}7" disk,1\n`, { column: 'url' });
  expect(rows).toHaveLength(between.length + 2);
  expect(rows.at(-1)).toBe(`${between.length + 3}: 7" disk`);
});

test('quotes in a tab-separated file are text', async () => {
  expect(await brief('n\turl\n1\t"example.com\n', { fileName: 'x.tsv', column: 'url' })).toEqual([
    '2: "example.com',
  ]);
});

test('a row that is too short is refused, and the others kept', async () => {
  expect(await brief('a,url\n1,example.com\n2\n3,\n4,example.net\n', { column: 'url' })).toEqual([
    '2: example.com',
    '3! no-indicator',
    '4! no-indicator',
    '5: example.net',
  ]);
});

test('CSV with an indicator column is read by the names of its columns; unknown columns stay behind', async () => {
  expect(await rowsOfText('indicator,tags,score,confidence\nexample.com,"a,b",7,\n')).toEqual([
    { kind: 'row', line: 2, value: { indicator: 'example.com', tags: 'a,b' } },
  ]);
});

test('--column maps several columns', async () => {
  const content = 'url,dateadded,tags\nhttp://example.com/,2026-01-02,a\n';
  expect(await rowsOfText(content, { column: 'indicator=url,lasttime=dateadded' })).toEqual([
    { kind: 'row', line: 2, value: { indicator: 'http://example.com/', lasttime: '2026-01-02' } },
  ]);
});

test('semicolons separate where a country writes them so', async () => {
  expect(await brief('id;url\n1;http://example.com/a,b\n', { fileName: 'x.csv', column: 'url' })).toEqual([
    '2: http://example.com/a,b',
  ]);
});

test.each([
  ['no column is named', 'id,url\n1,http://example.com/\n', undefined, /--column.*1 id, 2 url/],
  [
    'the column is mistyped',
    'id,url\n1,http://example.com/\n',
    'ulr',
    /no column ulr\. Did you mean url\?.*1 id, 2 url/,
  ],
  [
    'a field is mistyped',
    'id,url\n1,http://example.com/\n',
    'indicator=url,lastime=id',
    /Did you mean lasttime\?/,
  ],
  ['no indicator is mapped', 'id,url\n1,http://example.com/\n', 'tags=id', /add indicator=/],
  ['a field is mapped twice', 'id,url\n1,http://example.com/\n', 'url,indicator=id', /names indicator twice/],
])('when %s the error says what to do', async (_what, content, column, message) => {
  const reading = column === undefined ? { fileName: 'x.csv' } : { fileName: 'x.csv', column };
  await expect(rowsOfText(content, reading)).rejects.toThrow(message);
});

test.each([
  [
    'an array of objects',
    '[\n {"ip": "192.0.2.1"},\n {"ip": "192.0.2.2"}\n]\n',
    ['2: 192.0.2.1', '3: 192.0.2.2'],
  ],
  ['one line', '[{"ip":"192.0.2.1"},{"ip":"192.0.2.2"}]', ['1: 192.0.2.1', '1: 192.0.2.2']],
  ['objects in lines', '{"ip":"192.0.2.1"}\r\n{"ip":"192.0.2.2"}', ['1: 192.0.2.1', '2: 192.0.2.2']],
  ['one object over lines', '{\n"ip":"192.0.2.1"\n}\n', ['1: 192.0.2.1']],
  ['strings', '["192.0.2.1",\n"192.0.2.2"]', ['1: 192.0.2.1', '2: 192.0.2.2']],
  ['brackets and quotes in strings', '[{"ip":"[\\"}192.0.2.1"}]', ['1: ["}192.0.2.1']],
  ['an object without the member', '[{"id":1},{"ip":"192.0.2.2"}]', ['1! no-indicator', '1: 192.0.2.2']],
])('JSON with %s is read', async (_what, content, expected) => {
  expect(await brief(content, { column: 'ip' })).toEqual(expected);
  expect(await brief(content, { column: 'ip', fileName: 'feed.json' })).toEqual(expected);
});

test.each([
  ['data', '{"meta":{"count":2,"list":[{"ip":"no"}]},"data":[{"ip":"192.0.2.1"},{"ip":"192.0.2.2"}]}'],
  ['the one list of objects', '{"name":"x","hosts":[{"ip":"192.0.2.1"},{"ip":"192.0.2.2"}],"tags":["a"]}'],
  ['every member', '{"1":[{"ip":"192.0.2.1"}],\n "2" : [ {"ip":"192.0.2.2"} ] }'],
  ['strings in a known member', '{"version":2,"ips":["192.0.2.1","192.0.2.2"]}'],
])('rows that JSON wraps in %s are found', async (_what, content) => {
  const found = await brief(content, { fileName: 'feed.json', column: 'ip' });
  expect(found.map((row) => row.replace(/^\d+/, 'n'))).toEqual(['n: 192.0.2.1', 'n: 192.0.2.2']);
});

test.each([
  ['data', '{"data":[{"ip":"192.0.2.1"}],"more":[{"ip":"192.0.2.3"}]}', ['1: 192.0.2.1']],
  ['more', '{"data":[{"ip":"192.0.2.1"}],"more":[{"ip":"192.0.2.3"}]}', ['1: 192.0.2.3']],
  ['a.b', '[{"a":{"x":1,"b":[{"ip":"192.0.2.1"}]}},\n{"a":{"b":{"ip":"192.0.2.2"},"c":"]}"}}]', addresses],
  [
    '*.b',
    '{"a":{"b":["192.0.2.1"]},"c":7,"d\\"":{"b":["192.0.2.3"],"a":[{}]}}',
    ['1: 192.0.2.1', '1: 192.0.2.3'],
  ],
  ['*', '{"a":"192.0.2.1",\n"b":"192.0.2.2"}', addresses],
  ['none', '{"data":[{"ip":"192.0.2.1"}]}', []],
])('--rows %s takes the rows there', async (member, content, expected) => {
  expect(await brief(content, { rows: member.split('.'), column: 'ip' })).toEqual(expected);
});

test('an object that names an indicator is a row, whatever lists it holds', async () => {
  expect(await brief('{"data":[{"x":1}],"indicator":"192.0.2.1"}', { fileName: 'x.json' })).toEqual([
    '1: 192.0.2.1',
  ]);
});

test('members of JSON that are no fields stay behind, as columns of CSV do, and null says nothing', async () => {
  const content = '[{"indicator":"192.0.2.1","id":"a","tags":["b"],"cc":null,"score":3}]';
  expect(await rowsOfText(content)).toEqual([
    { kind: 'row', line: 1, value: { indicator: '192.0.2.1', tags: ['b'] } },
  ]);
});

test('the number of an autonomous system may be a number', async () => {
  expect(await brief('{"asn":64500}\n{"asn":64501}\n', { column: 'asn' })).toEqual(['1: 64500', '2: 64501']);
});

test('an object without the indicator is refused with its members, of which one may be it', async () => {
  const [row] = await rowsOfText('[{"ip":"192.0.2.1","port":443}]');
  expect(row).toMatchObject({
    kind: 'refused',
    code: 'no-indicator',
    reason: expect.stringContaining('ip, port'),
  });
});

test('JSON that is not closed ends where it opened', async () => {
  expect(await brief('[{"indicator":"192.0.2.1"},\n{"indicator":"192.0', { fileName: 'x.json' })).toEqual([
    '1: 192.0.2.1',
    '2! broken',
  ]);
});

test('a bad line of NDJSON is refused alone', async () => {
  expect(await brief('{"indicator":"192.0.2.1"}\n{oops\n"192.0.2.2"\n', { fileName: 'x.ndjson' })).toEqual([
    '1: 192.0.2.1',
    '2! bad-json',
    '3: 192.0.2.2',
  ]);
});

test('bytes that are no UTF-8 refuse their line only', async () => {
  const content = Buffer.concat([
    Buffer.from('example.com\n'),
    Buffer.from([0xff, 0x41, 0x0a]),
    Buffer.from('example.net'),
  ]);
  expect(await brief(content)).toEqual(['1: example.com', '2! bad-utf8', '3: example.net']);
});

test('a character that lies on the border of two pieces is whole', async () => {
  expect(await brief('123456ü.example\n')).toEqual(['1: 123456ü.example']);
});

test.each([
  ['text', undefined],
  ['csv', '1'],
  ['whitespace', '1'],
  ['ndjson', undefined],
] as const)('a line that is too long is refused and never cut (%s)', async (format, column) => {
  const content = `http://example.com/${'a'.repeat(submitLimits.lineCharactersMax)}\n`;
  const reading = column === undefined ? { format } : { format, column };
  expect(await brief(content, reading)).toEqual(['1! too-long']);
});

test.each([
  ['gzip', [0x1f, 0x8b, 0x08], /zcat/],
  ['UTF-16', [0xff, 0xfe, 0x31, 0x00], /iconv/],
])('%s is refused with the command that makes text of it', async (_what, bytes, message) => {
  await expect(rowsOfText(Uint8Array.from(bytes))).rejects.toThrow(message);
});
