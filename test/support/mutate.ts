import type { Random } from '../../mesh/random.ts';
import { pick, randomInt } from '../../mesh/random.ts';

/** What breaks parsers when it stands where a length or a count is expected. */
const tellingNumbers = [0, 1, 4, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** A copy with one to four faults: flipped bits, cuts, inserts, overwritten lengths; now and then a frame more or less. */
export function mutateFrames(random: Random, frames: readonly Uint8Array[]): Uint8Array[] {
  const mutated = [...frames];
  for (let faults = 1 + randomInt(random, 4); faults > 0; faults -= 1) {
    const at = randomInt(random, 4) > 0 ? 0 : randomInt(random, mutated.length);
    const frame = mutated[at] ?? new Uint8Array(0);
    const draw = random.next();
    if (draw < 0.02) mutated.splice(at, 1);
    else if (draw < 0.04) mutated.splice(at, 0, random.bytes(randomInt(random, 8)));
    else mutated[at] = mutateBytes(random, frame);
  }
  return mutated;
}

function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = randomInt(random, copy.length);
  switch (randomInt(random, 6)) {
    case 0:
      if (copy.length > 0) copy[at] = (copy[at] ?? 0) ^ (1 << randomInt(random, 8));
      return copy;
    case 1:
      return copy.subarray(0, at);
    case 2:
      return copy.subarray(at);
    case 3:
      return Buffer.concat([copy.subarray(0, at), random.bytes(1 + randomInt(random, 4)), copy.subarray(at)]);
    case 4:
      if (copy.length > 0) copy[at] = (pick(random, tellingNumbers) ?? 0) & 0xff;
      return copy;
    default:
      if (at + 4 <= copy.length) copy.writeUInt32BE(pick(random, tellingNumbers) ?? 0, at);
      return copy;
  }
}
