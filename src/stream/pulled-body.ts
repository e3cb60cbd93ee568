export type PulledBodyParts = {
  /** What to send next; empty at the end. */
  readonly next: () => Promise<string>;
  /** Called once, at the end or when the reader is gone. */
  readonly ended: () => void;
  /** Told of a fault of ours, which ends the body. */
  readonly failed: (error: unknown) => void;
};

/** A body that is made as it is read: the reader's pace is the pace, and a body that is not read holds nothing. */
export function pulledBody({ next, ended, failed }: PulledBodyParts): ReadableStream<Uint8Array> {
  let finished = false;

  function finish(): void {
    if (finished) return;
    finished = true;
    ended();
  }

  return new ReadableStream(
    {
      async pull(controller) {
        let text = '';
        try {
          text = await next();
        } catch (error) {
          failed(error);
        }
        if (finished) return;
        if (text !== '') controller.enqueue(Buffer.from(text));
        else {
          finish();
          controller.close();
        }
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  );
}
