import type { z } from '@hono/zod-openapi';
import { Problem, type ProblemDetail } from './problem.ts';

/** Each parameter that is wrong, and what is allowed, as a Problem 400. */
export function parameterProblem({ issues }: z.ZodError): Problem {
  const errors = issues.flatMap((issue): ProblemDetail[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((parameter) => ({
        parameter,
        detail: 'no such parameter; /docs lists them',
      }));
    }
    const parameter = issue.path.join('.');
    const detail = issue.code === 'invalid_type' ? 'allowed once' : issue.message;
    return [{ parameter, detail }];
  });
  return new Problem(400, errors.map(({ parameter, detail }) => `${parameter}: ${detail}`).join('; '), {
    errors,
  });
}

/** The parameters of a request, for a route whose body hono must not read. Throws Problem 400. */
export function readParameters<T>(
  schema: z.ZodType<T>,
  queries: Readonly<Record<string, readonly string[]>>,
): T {
  const entries = Object.entries(queries).map(([name, values]) => [
    name,
    values.length === 1 ? values[0] : values,
  ]);
  const parsed = schema.safeParse(Object.fromEntries(entries));
  if (parsed.success) return parsed.data;
  throw parameterProblem(parsed.error);
}
