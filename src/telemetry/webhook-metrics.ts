import { Counter, Gauge, type Registry } from 'prom-client';

/** Webhooks in numbers. */
export type WebhookNumbers = {
  /** Tries of this node by what became of them. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly pending: number;
  readonly dead: number;
};

export function registerWebhookMetrics(registry: Registry, read: () => WebhookNumbers): void {
  const registers = [registry];
  const deliveries: Counter = new Counter({
    name: 'tocsin_webhook_deliveries_total',
    help: 'Tries of this node to deliver a message of a webhook, by outcome',
    labelNames: ['outcome'],
    registers,
    collect() {
      deliveries.reset();
      for (const [outcome, count] of read().outcomes) deliveries.inc({ outcome }, count);
    },
  });
  function gauge(name: string, help: string, of: (numbers: WebhookNumbers) => number): void {
    const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(of(read())) });
  }
  gauge(
    'tocsin_webhook_pending_messages',
    'Messages of all webhooks of the mesh that failed and will be tried again',
    ({ pending }) => pending,
  );
  gauge(
    'tocsin_webhook_dead_messages',
    'Messages of all webhooks of the mesh that were given up and are kept',
    ({ dead }) => dead,
  );
}
