import { z } from '@hono/zod-openapi';

const schema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().openapi({ description: 'What is wrong and what to do' }),
    instance: z.string().optional(),
    errors: z.array(z.object({ parameter: z.string(), detail: z.string() })).optional(),
  })
  .openapi('Problem');

const descriptions = {
  400: 'A parameter or the body is not as it must be; `errors` names each',
  401: 'No token, or one that is not known here',
  403: 'The token lacks a scope, which is named',
  404: 'There is no such thing here',
  406: 'None of the media types in Accept is made here',
  409: 'It cannot be done as things stand; the detail says what to do first',
  413: 'The body is larger than the cap, which is named',
  415: 'The media type of the body is not taken; those that are, are named',
  422: 'No row was accepted; `refused` says why for each',
  426: 'The request does not ask for a WebSocket',
  503: 'Not now; Retry-After says when to come back',
} as const;

/** An object of JSON that its description tells of: what is in it is typed where it is made. */
export function jsonAnswer(description: string) {
  return { description, content: { 'application/json': { schema: z.record(z.string(), z.any()) } } };
}

/** The errors of a route, for its document: RFC 9457 all of them. */
export function problemAnswers<Status extends keyof typeof descriptions>(...statuses: readonly Status[]) {
  const answers = statuses.map((status) => [
    status,
    { description: descriptions[status], content: { 'application/problem+json': { schema } } },
  ]);
  return Object.fromEntries(answers) as {
    [S in Status]: {
      description: string;
      content: { 'application/problem+json': { schema: typeof schema } };
    };
  };
}
