import { readFileSync } from 'node:fs';

/** `getconf CLK_TCK`: 100 on every Linux that we meet. */
const ticksPerSecond = 100;

/** What a process has spent since its start, in user and system mode; NaN once it has ended. */
export function cpuSeconds(pid: number): number {
  // The name in brackets may hold blanks; the fields are counted from behind it (proc(5)).
  const fields = read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

export function rssMegabytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes) / 1_024;
}

/** What of it is files mapped into memory, which the system can take back. */
export function mappedMegabytes(pid: number): number {
  const kilobytes = /RssFile:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? 0) / 1_024;
}

/** The most that it ever had. */
export function peakRssMegabytes(pid: number): number {
  const kilobytes = /VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes) / 1_024;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
