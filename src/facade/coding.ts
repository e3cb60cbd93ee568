import { pipeline, Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';

/** Fast rather than small: at level 6 a feed takes three times as long and gets a tenth smaller. */
const gzipLevel = 3;

/** Newer Node has it (22.15); the types are those of the oldest that we support. */
const { createZstdCompress } = zlib as { readonly createZstdCompress?: () => Transform };

const coders = {
  ...(createZstdCompress !== undefined && { zstd: createZstdCompress }),
  gzip: () => zlib.createGzip({ level: gzipLevel }),
};

export type Coding = 'zstd' | 'gzip';

/** What this Node can compress with, best first. */
export const codings = Object.keys(coders) as readonly Coding[];

/** The bytes, compressed while they are taken. */
export async function* coded(bytes: Iterable<Uint8Array>, coding: Coding): AsyncGenerator<Uint8Array> {
  const coder = coders[coding]?.() ?? coders.gzip();
  // Who reads from the coder is told of an error there.
  pipeline(Readable.from(bytes), coder, () => undefined);
  yield* coder as AsyncIterable<Uint8Array>;
}
