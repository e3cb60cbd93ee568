/** Members in which feeds and APIs wrap their list of rows: `{"meta": ..., "data": [...]}`. */
export const rowListNames: readonly string[] = [
  'data',
  'indicators',
  'results',
  'items',
  'entries',
  'rows',
  'records',
  'iocs',
  'ips',
  'urls',
  'domains',
];
