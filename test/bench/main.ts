import { benchAllowlist } from './allowlist.ts';
import { benchAntiEntropy } from './anti-entropy.ts';
import { benchCatchUp } from './catch-up.ts';
import { benchDelivery } from './delivery.ts';
import { benchFeed } from './feed.ts';
import { benchIndexes } from './indexes.ts';
import { benchIntake } from './intake.ts';
import { benchJetStream } from './jetstream/bench.ts';
import { printTable, type Row } from './measure.ts';
import { benchMeshFifty } from './mesh/fifty.ts';
import { benchMeshShout } from './mesh/shout.ts';
import { benchMeshWhisper } from './mesh/whisper.ts';
import { benchQuery } from './query.ts';
import { benchRest } from './rest.ts';
import { benchStreamLatency } from './stream/latency.ts';
import { benchStreamReaders } from './stream/readers.ts';
import { benchStreamThroughput } from './stream/throughput.ts';

const benches: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  intake: benchIntake,
  delivery: benchDelivery,
  rest: benchRest,
  'catch-up': benchCatchUp,
  'anti-entropy': benchAntiEntropy,
  allowlist: benchAllowlist,
  indexes: benchIndexes,
  query: benchQuery,
  feed: benchFeed,
  jetstream: benchJetStream,
  'mesh-shout': benchMeshShout,
  'mesh-whisper': benchMeshWhisper,
  'mesh-fifty': benchMeshFifty,
  'stream-throughput': benchStreamThroughput,
  'stream-latency': benchStreamLatency,
  'stream-readers': benchStreamReaders,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => benches[name] === undefined);
if (unknown.length > 0) {
  console.error(`no bench is called ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
const rows: Row[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`${name} ...`);
  rows.push(...(await bench()));
}
printTable(rows);
process.exit(0);
