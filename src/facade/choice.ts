import { quote } from '../indicator/quote.ts';
import { accept, type Parsed, refuse } from '../parsed.ts';
import type { Choice } from '../query/filter.ts';

const namesMax = 100;

type ChoiceCode = 'bad-choice';

/** Reads `a,b,!c`: one of a and b, and not c. `readName` gives a name's canonical form, or undefined when it is none. */
export function parseChoice(
  text: string,
  readName: (name: string) => string | undefined,
  allowed = 'names',
): Parsed<Choice, ChoiceCode> {
  const any = new Set<string>();
  const none = new Set<string>();
  const names = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== '!');
  if (names.length === 0 || names.length > namesMax) {
    return refuse(
      'bad-choice',
      `allowed are 1 to ${namesMax}, separated by commas: ${allowed}; \`!name\` leaves one out`,
    );
  }
  for (const written of names) {
    const isLeftOut = written.startsWith('!');
    const name = readName(isLeftOut ? written.slice(1).trim() : written);
    if (name === undefined) return refuse('bad-choice', `${quote(written)} is none; allowed are ${allowed}`);
    (isLeftOut ? none : any).add(name);
  }
  const both = [...any].find((name) => none.has(name));
  if (both !== undefined) {
    return refuse('bad-choice', `${quote(both)} is both wanted and left out; allowed is one of the two`);
  }
  return accept({ any: [...any], none: [...none] });
}

/** Those of a closed list that are chosen, in its order. */
export function chosenFrom<Name extends string>(
  text: string,
  names: readonly Name[],
): Parsed<readonly Name[], ChoiceCode> {
  const choice = parseChoice(
    text,
    (written) => names.find((name) => name === written.toLowerCase()),
    names.join(', '),
  );
  if (!choice.ok) return choice;
  const { any, none } = choice.value;
  return accept(names.filter((name) => (any.length === 0 || any.includes(name)) && !none.includes(name)));
}
