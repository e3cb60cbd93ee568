import { didYouMean } from '../../config/closest.ts';
import { canonicalise } from '../../indicator/canonical.ts';
import { publicRecordFields } from '../../indicator/present.ts';
import { CliError, exitCodes } from '../exit.ts';

/** The fields that a row may state: those of a record, without what the node itself adds. */
export const rowFields: readonly string[] = publicRecordFields.filter(
  (field) => field !== 'id' && field !== 'reporttime',
);

/** Which column (by name, or by number from 1) holds which field. */
export type ColumnChoice = { readonly field: string; readonly from: string | number };

/**
 * Reads `--column`: `url` or `3` for the indicator alone, `indicator=url,lasttime=dateadded` for more.
 * Throws a CliError that says what is allowed.
 */
export function parseColumns(text: string): readonly ColumnChoice[] {
  const choices = text.split(',').map((part) => {
    const [left = '', right] = part.split('=', 2);
    const field = right === undefined ? 'indicator' : left.trim();
    const name = (right ?? left).trim();
    if (name === '')
      throw new CliError(exitCodes.usage, `--column "${text}": a name or a number is missing.`);
    if (!rowFields.includes(field)) {
      throw new CliError(
        exitCodes.usage,
        `--column "${part}": ${field} is no field.${didYouMean(field, rowFields)} Allowed: ${rowFields.join(', ')}.`,
      );
    }
    return { field, from: /^[1-9]\d{0,3}$/.test(name) ? Number(name) : name };
  });
  const fields = choices.map(({ field }) => field);
  const twice = fields.find((field, index) => fields.indexOf(field) !== index);
  if (twice !== undefined) throw new CliError(exitCodes.usage, `--column "${text}" names ${twice} twice.`);
  if (!fields.includes('indicator')) {
    throw new CliError(
      exitCodes.usage,
      `--column "${text}" does not say which column is the indicator: add indicator=...`,
    );
  }
  return choices;
}

/** How programs write that a cell has no value. */
const nothing = /^(?:n\/?a|none|null|nil|-)?$/i;

/** Whether a cell beside the indicator's says nothing: `n/a`, `None`, `NULL`, `-`. */
export function isUnstated(value: unknown): boolean {
  return value === null || (typeof value === 'string' && nothing.test(value.trim()));
}

/** Where each field is found in a row of cells. */
export type Pick = { readonly field: string; readonly index: number; readonly column: string };

export type ColumnPlan = { readonly picks: readonly Pick[]; readonly firstIsHeader: boolean };

/**
 * Decides how rows of cells are read.
 * @param first the cells of the first row, which may be the header
 * @param remarks the comment lines before it, as cells: in many feeds one of them is the header
 * @param choices what the person said, or undefined
 */
export function planColumns(
  first: readonly string[],
  remarks: readonly (readonly string[])[],
  choices: readonly ColumnChoice[] | undefined,
): ColumnPlan {
  const headers = [first, ...remarks.toReversed()];
  if (choices === undefined) return planWithoutChoices(first, headers);
  const names = choices.map(({ from }) => from).filter((from) => typeof from === 'string');
  const header =
    names.length === 0
      ? undefined
      : headers.find((cells) => names.every((name) => indexOf(cells, name) >= 0));
  if (names.length > 0 && header === undefined) throw noSuchColumn(first, headers, names);
  const picks = choices.map(({ field, from }) =>
    typeof from === 'number'
      ? { field, index: from - 1, column: `column ${from}` }
      : { field, index: indexOf(header ?? [], from), column: `column ${from}` },
  );
  const indicator = picks.find(({ field }) => field === 'indicator');
  const firstIsHeader = header === undefined ? isTitle(first[indicator?.index ?? 0]) : header === first;
  return { picks, firstIsHeader };
}

function planWithoutChoices(first: readonly string[], headers: readonly (readonly string[])[]): ColumnPlan {
  const header = headers.find((cells) => indexOf(cells, 'indicator') >= 0);
  if (header !== undefined) {
    const picks = rowFields
      .map((field) => ({ field, index: indexOf(header, field), column: `column ${field}` }))
      .filter(({ index }) => index >= 0);
    return { picks, firstIsHeader: header === first };
  }
  if (isIndicator(first[0] ?? '')) {
    return { picks: [{ field: 'indicator', index: 0, column: 'column 1' }], firstIsHeader: false };
  }
  throw new CliError(
    exitCodes.usage,
    `Which column holds the indicator? Say it with --column. The first row is: ${numbered(first)}`,
  );
}

function indexOf(cells: readonly string[], name: string): number {
  const exact = cells.indexOf(name);
  return exact >= 0 ? exact : cells.findIndex((cell) => cell.toLowerCase() === name.toLowerCase());
}

function noSuchColumn(
  first: readonly string[],
  headers: readonly (readonly string[])[],
  names: readonly string[],
): CliError {
  const missing = names.find((name) => indexOf(first, name) < 0) ?? '';
  const hint = didYouMean(missing, headers.flat());
  return new CliError(
    exitCodes.usage,
    `There is no column ${missing}.${hint} The first row is: ${numbered(first)}`,
  );
}

const shownColumnsMax = 20;
const shownCharactersMax = 40;

/** `1 id, 2 dateadded, 3 url` */
function numbered(cells: readonly string[]): string {
  const shown = cells
    .slice(0, shownColumnsMax)
    .map((cell, index) => `${index + 1} ${cell.slice(0, shownCharactersMax)}`);
  return `${shown.join(', ')}${cells.length > shownColumnsMax ? ', ...' : ''}`;
}

/** The first row of a numbered column is a title when it is words; a bad indicator is for the node to refuse. */
function isTitle(cell: string | undefined): boolean {
  return cell !== undefined && /^[a-z][\w -]*$/i.test(cell) && !isIndicator(cell);
}

export function isIndicator(cell: string): boolean {
  return canonicalise(cell).ok;
}
