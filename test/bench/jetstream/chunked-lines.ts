const headEnd = '\r\n\r\n';

/**
 * Reads an answer in chunked coding (RFC 9112, section 7.1) whose body is lines of ASCII; answers what to hand its bytes to.
 * Throws on any other answer than 200.
 */
export function openLineReader(onLine: (line: string) => void): (bytes: Buffer) => void {
  let held = '';
  let line = '';
  let inBody = false;
  return (bytes) => {
    held += bytes.toString('latin1');
    if (!inBody) {
      const end = held.indexOf(headEnd);
      if (end === -1) return;
      if (!/^HTTP\/1\.1 200 [\s\S]*transfer-encoding: chunked/i.test(held))
        throw new Error(`no stream: ${held}`);
      held = held.slice(end + headEnd.length);
      inBody = true;
    }
    let at = 0;
    for (;;) {
      const sizeEnd = held.indexOf('\r\n', at);
      if (sizeEnd === -1) break;
      const start = sizeEnd + 2;
      const end = start + Number.parseInt(held.slice(at, sizeEnd), 16);
      if (held.length < end + 2) break;
      line += held.slice(start, end);
      at = end + 2;
    }
    held = held.slice(at);
    const lines = line.split('\n');
    line = lines.pop() ?? '';
    for (const whole of lines) onLine(whole);
  };
}
