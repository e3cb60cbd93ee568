import { cpus } from 'node:os';

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export type Row = readonly [what: string, measured: string, baseline: string, ratio: string, bar: string];

export function printTable(rows: readonly Row[]): void {
  console.log(`\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}\n`);
  console.log('| what | measured | baseline | ratio | bar |\n|---|---|---|---|---|');
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}

export function round(value: number, digits = 0): string {
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}
