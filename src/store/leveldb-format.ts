/*
 * The files of LevelDB 1.20, as far as disk-check.ts reads them: doc/log_format.md, doc/table_format.md, db/version_edit.cc,
 * util/crc32c.h. Pure.
 */

const logBlockBytes = 32 * 1024;
/** Checksum, length, type. */
const logHeaderBytes = 7;
/** 3 is one in the middle. */
const part = { full: 1, first: 2, last: 4 } as const;

/** The records of a write-ahead log or of a MANIFEST; `unreadable` where something else stands before the next one. */
export function* logRecords(log: Buffer): Generator<Buffer | 'unreadable'> {
  let parts: Buffer[] | undefined;
  let readable = true;
  for (let block = 0; block < log.length; block += logBlockBytes) {
    const end = Math.min(block + logBlockBytes, log.length);
    for (let at = block; at + logHeaderBytes <= end; ) {
      const stop = at + logHeaderBytes + log.readUInt16LE(at + 4);
      const type = log[at + 6] as number;
      const isPart = type >= part.full && type <= part.last && stop <= end;
      if (!isPart || !isSound(log.subarray(at + 6, stop), log.readUInt32LE(at))) {
        if (readable) yield 'unreadable';
        readable = false;
        parts = undefined;
        at++;
        continue;
      }
      readable = true;
      if (type === part.full || type === part.first) parts = [];
      parts?.push(log.subarray(at + logHeaderBytes, stop));
      if (parts !== undefined && (type === part.full || type === part.last)) {
        yield Buffer.concat(parts);
        parts = undefined;
      }
      at = stop;
    }
  }
}

/** The files that a MANIFEST says are in use. */
export type LiveFiles = {
  /** Of the oldest write-ahead log that is needed; 0 before the first. */
  readonly log: number;
  /** Bytes of each table. */
  readonly tables: ReadonlyMap<number, number>;
};

/** As far as it can be read; undefined when it says what LevelDB does not write. */
export function liveFiles(manifest: Buffer): LiveFiles | undefined {
  let log = 0;
  const tables = new Map<number, number>();
  for (const edit of logRecords(manifest)) {
    if (edit === 'unreadable') break;
    const read = varintReader(edit);
    const skipText = () => read.skip(read.varint());
    while (!read.atEnd()) {
      switch (read.varint()) {
        case 1: // comparator
          skipText();
          break;
        case 2:
          log = read.varint();
          break;
        case 3: // next file
        case 4: // last sequence
        case 9: // previous log, which LevelDB no longer writes
          read.varint();
          break;
        case 5: // compact pointer: level, key
          read.varint();
          skipText();
          break;
        case 6: // deleted table: level, number
          read.varint();
          tables.delete(read.varint());
          break;
        case 7: // new table: level, number, bytes, smallest and largest key
          read.varint();
          tables.set(read.varint(), read.varint());
          skipText();
          skipText();
          break;
        default:
          return undefined;
      }
    }
  }
  return { log, tables };
}

export const footerBytes = 48;
const magic = Buffer.from('57fb808b247547db', 'hex');
/** Behind each block of a table: its type and its checksum. */
const trailerBytes = 5;
/** Snappy; 0 is plain. */
const compressedType = 1;

/** Where the metaindex and the index of a table stand, with what is behind them; undefined when this is no footer. */
export function readFooter(
  footer: Buffer,
): readonly { readonly offset: number; readonly bytes: number }[] | undefined {
  if (!footer.subarray(-magic.length).equals(magic)) return undefined;
  const read = varintReader(footer);
  return [0, 1].map(() => ({ offset: read.varint(), bytes: read.varint() + trailerBytes }));
}

/** Of a block and what is behind it. */
export function isSoundBlock(block: Buffer): boolean {
  return isSound(block.subarray(0, -4), block.readUInt32LE(block.length - 4));
}

/**
 * Whether blocks, each with its type and checksum, fill a part of a table. Where one ends is seen by its checksum, as the
 * index may be compressed. About 300 MB/s.
 */
export function areSoundBlocks(bytes: Buffer, start: number, end: number): boolean {
  let before = start;
  for (let at = start; at < end; ) {
    const next = blockEnd(bytes, at, end, at);
    if (next !== undefined) {
      before = at;
      at = next;
      continue;
    }
    // A checksum fits by chance once in 2^32: then the block before ends further on.
    const longer = blockEnd(bytes, before, end, at);
    if (longer === undefined) return false;
    at = longer;
  }
  return true;
}

/** The first place behind `behind` where a block from `start` may end, with what is behind it. */
function blockEnd(bytes: Buffer, start: number, end: number, behind: number): number | undefined {
  let crc = ~0;
  for (let at = start; at + trailerBytes <= end; at++) {
    const type = bytes[at] as number;
    crc = (crc >>> 8) ^ (crcTable[(crc ^ type) & 0xff] as number);
    const next = at + trailerBytes;
    if (type <= compressedType && next > behind && masked(~crc) === bytes.readUInt32LE(at + 1)) return next;
  }
  return undefined;
}

function varintReader(bytes: Buffer) {
  let at = 0;
  return {
    atEnd: () => at >= bytes.length,
    /** Bytes that are not there read as 0. */
    varint(): number {
      let value = 0;
      for (let shift = 0; shift < 64; shift += 7) {
        const byte = bytes[at++] ?? 0;
        value += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) break;
      }
      return value;
    },
    skip(length: number): void {
      at += length;
    },
  };
}

function isSound(bytes: Uint8Array, checksum: number): boolean {
  return masked(crc32c(bytes)) === checksum;
}

/** LevelDB rotates a checksum and adds a constant, so that one over checksums is still good. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C (RFC 3720 appendix B.4); `zlib.crc32` is another polynomial. About 400 MB/s. */
export function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (let i = 0; i < bytes.length; i++) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ (bytes[i] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});
