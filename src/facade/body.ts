import { Problem } from './problem.ts';

/** Reads a body up to a cap, whatever Content-Length says or does not say. Throws Problem 413. */
export async function readBody(request: Request, bytesMax: number): Promise<Uint8Array> {
  const tooLarge = () =>
    new Problem(413, `the body is larger than ${bytesMax} bytes: send it in parts (\`tocsin submit\` does)`);
  const announced = Number(request.headers.get('content-length') ?? Number.NaN);
  if (announced > bytesMax) throw tooLarge();
  // HTTP ends a body at its announced length. Read whole it costs a quarter of what a stream does, which is most of a small one.
  if (announced >= 0) return new Uint8Array(await request.arrayBuffer());
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (bytes > bytesMax) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
