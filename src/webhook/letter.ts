/** The formats of a body. */
export const formats = ['standard', 'slack', 'json'] as const;
export type Format = (typeof formats)[number];

/**
 * What one request delivers: an event, or several as one digest. It is the same at each try and at each owner, so that the
 * receiver can tell by its id that it has it.
 */
export type Letter = {
  /** The event's id; of a digest `digest-<first>-<last>`. */
  readonly id: string;
  /** CloudEvents in JSON as the stream had them, in order; of a digest that only counts, the first ones. */
  readonly events: readonly string[];
  /** Events that it stands for. */
  readonly count: number;
  /** Id and time (RFC 3339) of the last of them. */
  readonly last: EventName;
};

export type EventName = { readonly id: string; readonly time: string };

/** What the formats read of a CloudEvent that this node, or another one, has made. */
export type CloudEvent = EventName & {
  readonly type: string;
  readonly source: string;
  readonly data: Readonly<Record<string, unknown>>;
};

export function readEvent(json: string): CloudEvent {
  return JSON.parse(json) as CloudEvent;
}

export function letterOf(id: string, json: string): Letter {
  const { time } = readEvent(json);
  return { id, events: [json], count: 1, last: { id, time } };
}

/** Whether it is sent as a digest. */
export function isDigest(letter: Letter): boolean {
  return letter.count > 1;
}

/** `webhook-id` (Standard Webhooks): what a receiver remembers to do a thing once. */
export function messageId(webhookId: string, letterId: string): string {
  return `msg_${webhookId}_${letterId}`;
}

export function digestId(first: string, last: string): string {
  return `digest-${first}-${last}`;
}
