import type { IntakeError } from '../intake/intake.ts';
import { Problem } from './problem.ts';

/** Why nothing more is taken now, for a person. */
export function problemOfIntake({ code, message }: IntakeError): Problem {
  // A broken store needs a person; asking again would not help.
  return new Problem(503, message, { code }, code === 'BROKEN' ? {} : { 'retry-after': '2' });
}
