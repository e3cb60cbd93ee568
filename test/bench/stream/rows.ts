import { nowMs } from '../jetstream/side.ts';

const digits = 9;
/** Prime to 10^9: neighbours land far from each other, so that the keys do not come in order; none comes twice. */
const stride = 618_033_989;

export type Row = { readonly indicator: string; readonly description: string };

/** An indicator of 350 bytes in JSON, which tells when it was made. The same `n` is the same indicator. `fields` take the place of its own. */
export function rowOf(n: number, fields: Readonly<Record<string, unknown>> = {}): Row {
  const number = String((n * stride) % 10 ** digits).padStart(digits, '0');
  return {
    indicator: `http://host-${number}.example.com/wp-content/uploads/invoice.php?id=${number}`,
    itype: 'url',
    tlp: 'amber',
    tags: ['malware', 'phishing'],
    confidence: 8,
    description: `${nowMs().toFixed(3).padStart(16, '0')} A page that asks for credentials`,
    firsttime: '2026-01-01T00:00:00Z',
    lasttime: '2026-01-02T00:00:00Z',
    reference: 'https://example.net/2026/phishing',
    ...fields,
  } as Row;
}

/** On `nowMs`, which all processes of a machine share. */
export function madeAtMs({ description }: Row): number {
  return Number(description.slice(0, 16));
}
