import type { CurvePair } from 'tocsin/mesh';
import { Dealer, Router } from 'zeromq';
import type { Side } from './side.ts';

/** The control frame of a SHOUT to the group: signature, kind, version, sequence, name of the group. */
const shoutControl = Buffer.from('aaa1030200020443484154', 'hex');
export const whisperControl = Buffer.from('aaa102020002', 'hex');
const highWaterMark = 1_000;

/** zeromq.js as its documentation has it: `for await` over a ROUTER, and an awaited send after another on each DEALER. */
export const bareSide: Side = {
  async receive({ pair, onContent }) {
    const router = new Router({
      ...(pair && { curveServer: true, curveSecretKey: pair.secretKey }),
      linger: 0,
      receiveHighWaterMark: highWaterMark,
    });
    await router.bind('tcp://127.0.0.1:*');
    void (async () => {
      for await (const [, , content] of router) if (content) onContent(content);
    })();
    return { id: '', address: { endpoint: router.lastEndpoint ?? '', publicKey: pair?.publicKey } };
  },
  async send({ pair, receivers }) {
    const dealers = receivers.map(({ address }) => dial(address.endpoint, pair));
    return {
      async send(content, count) {
        await Promise.all(
          dealers.map(async (dealer) => {
            for (let sent = 0; sent < count; sent++) await dealer.send([shoutControl, content]);
          }),
        );
      },
    };
  },
};

export function dial(endpoint: string, pair: CurvePair | undefined): Dealer {
  const dealer = new Dealer({
    ...(pair && {
      curveServerKey: pair.publicKey,
      curvePublicKey: pair.publicKey,
      curveSecretKey: pair.secretKey,
    }),
    linger: 0,
    sendHighWaterMark: highWaterMark,
  });
  dealer.connect(endpoint);
  return dealer;
}
