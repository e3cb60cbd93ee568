import type { Clock } from '../../clock.ts';
import type { Itype, RecordKey } from '../../indicator/types.ts';
import { type Entry, type Says, sayTogether } from './entry.ts';
import { createExpiries } from './expiries.ts';
import { isPublicSuffix } from './public-suffix.ts';
import {
  type AllowRecord,
  findStatement,
  isSameStatement,
  type Statement,
  statementOf,
  withoutStatement,
  withStatement,
} from './statement.ts';

/** The entries by kind and value, as the records that were put say by now. */
export type Register = {
  /** Takes a record as it is now. One that is no entry, or no longer, takes its statement away. */
  put(record: AllowRecord): void;
  remove(key: RecordKey): void;
  entriesOf(itype: Itype): ReadonlyMap<string, Entry>;
  version(): number;
  /** Values that have an entry. */
  size(): number;
  /** Takes away what is over by now; to be called before the entries are looked at. */
  expire(): void;
};

/** Whoever has the entries in another order hears of every change. */
export type Listener = {
  added(itype: Itype, entry: Entry): void;
  retired(itype: Itype, entry: Entry): void;
};

/** What single statements say, kept for all values: as many as there are lists, which is far below this. */
const alikeMax = 10_000;
const staleTimesMin = 1_024;

export function createRegister(clock: Pick<Clock, 'wallMs'>, listener: Listener): Register {
  const tables = new Map<Itype, Map<string, Entry>>();
  const alike = new Map<string, Says>();
  let expiries = createExpiries<RecordKey>();
  let expiring = 0;
  let size = 0;
  let version = 0;

  function tableOf(itype: Itype): Map<string, Entry> {
    let table = tables.get(itype);
    if (table === undefined) {
      table = new Map();
      tables.set(itype, table);
    }
    return table;
  }

  function change(key: RecordKey, statement: Statement | undefined): void {
    const { itype, indicator } = key;
    const table = tableOf(itype);
    const known = table.get(indicator);
    const before = known?.says.statements ?? [];
    const former = findStatement(before, key);
    // A list that is said again every day changes nothing, and costs no feed anything.
    if (isSameStatement(former, statement)) return;
    version++;
    if (former?.expiretimeMs !== undefined) expiring--;
    if (statement?.expiretimeMs !== undefined) {
      expiring++;
      const { provider, group } = key;
      expiries.add(statement.expiretimeMs, { itype, indicator, provider, group });
    }
    if (known !== undefined) {
      known.retired = true;
      listener.retired(itype, known);
    } else size++;
    const after = statement === undefined ? withoutStatement(before, key) : withStatement(before, statement);
    if (after.length === 0) {
      table.delete(indicator);
      size--;
      return;
    }
    const says = sayAll(after, itype === 'fqdn' && isPublicSuffix(indicator));
    const entry = { indicator, says, retired: false };
    table.set(indicator, entry);
    listener.added(itype, entry);
  }

  function sayAll(statements: readonly Statement[], isSuffix: boolean): Says {
    const [first, second] = statements;
    if (first === undefined || second !== undefined || first.expiretimeMs !== undefined) {
      return sayTogether(statements, isSuffix);
    }
    const key = `${first.provider}\0${first.group}\0${first.suppresses}\0${first.reach}\0${isSuffix}`;
    const kept = alike.get(key);
    if (kept !== undefined) return kept;
    if (alike.size >= alikeMax) alike.clear();
    const says = sayTogether(statements, isSuffix);
    alike.set(key, says);
    return says;
  }

  /** A statement whose end was moved leaves its former end behind; when most are such, the times are gathered anew. */
  function forgetStaleTimes(): void {
    expiries = createExpiries();
    for (const [itype, table] of tables) {
      for (const { indicator, says } of table.values()) {
        for (const { provider, group, expiretimeMs } of says.statements) {
          if (expiretimeMs !== undefined) expiries.add(expiretimeMs, { itype, indicator, provider, group });
        }
      }
    }
  }

  return {
    put: (record) => change(record, statementOf(record, clock.wallMs())),
    remove: (key) => change(key, undefined),
    entriesOf: tableOf,
    version: () => version,
    size: () => size,
    expire() {
      if (expiries.size() === 0) return;
      const nowMs = clock.wallMs();
      for (let key = expiries.takeDue(nowMs); key !== undefined; key = expiries.takeDue(nowMs)) {
        const statements = tables.get(key.itype)?.get(key.indicator)?.says.statements ?? [];
        const statement = findStatement(statements, key);
        if (statement?.expiretimeMs !== undefined && statement.expiretimeMs <= nowMs) change(key, undefined);
      }
      if (expiries.size() > 2 * expiring + staleTimesMin) forgetStaleTimes();
    },
  };
}
