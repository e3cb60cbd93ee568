/** How tables are read without paying for more ways to another thread and back than are needed. */

/** So few are read where we stand: to hand the reads to another thread and back costs more than they do. */
const readAtOnceMax = 16;
const rowsInPart = 1_000;

/** LevelDB on disk hands over 16 KiB at a time unless told otherwise; a store in memory knows no such option. */
export const largeParts = { reverse: false, highWaterMarkBytes: 256 * 1024 };

type Table = {
  getSync(key: string): string | undefined;
  getMany(keys: string[]): Promise<(string | undefined)[]>;
};

/** What stands at each key. */
export async function getEach(
  table: Table,
  keys: readonly string[],
): Promise<readonly (string | undefined)[]> {
  return keys.length > readAtOnceMax ? await table.getMany([...keys]) : keys.map((key) => table.getSync(key));
}

type Iterating<T> = { nextv(size: number): Promise<T[]>; close(): Promise<void> };

/** All that an iterator gives, in parts; closes it, however that ends. It sees what there was when it was made. */
export async function* eachPart<T>(iterator: Iterating<T>): AsyncGenerator<readonly T[], void> {
  try {
    for (
      let part = await iterator.nextv(rowsInPart);
      part.length > 0;
      part = await iterator.nextv(rowsInPart)
    )
      yield part;
  } finally {
    await iterator.close();
  }
}
