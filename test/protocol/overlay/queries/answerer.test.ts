import t from 'tap';
import { Type } from '../../../../protocol/constants.ts';
import { encodeDescriptor } from '../../../../protocol/wire/header.ts';
import { parsePong } from '../../../../protocol/wire/pong.ts';
import { encodeQuery, WHATS_NEW_GGEP, WHATS_NEW_TEXT } from '../../../../protocol/wire/query.ts';
import { parseQueryHit } from '../../../../protocol/wire/query-hit.ts';
import { query, random } from '../../../support/descriptors.ts';
import { VirtualNetwork } from '../../../support/virtual-network.ts';

const DAY_MS = 86_400_000;

t.test('What is new: the three files modified last, none of them older than two weeks', async t => {
  const network = new VirtualNetwork();
  const servent = network.add('a');
  const peer = network.puppet(servent);
  const ask = () => {
    const payload = encodeQuery({ text: WHATS_NEW_TEXT, ggep: [WHATS_NEW_GGEP] });
    peer.send(encodeDescriptor(random.guid(), Type.Query, 2, 0, payload));
    network.settle();
    return peer.ofType(Type.QueryHit).map(({ payload }) => parseQueryHit(payload).hits.map(({ name }) => name));
  };
  const now = network.clock.wallTime();
  servent.library.add('old.txt', Buffer.alloc(20, 1), now - 15 * DAY_MS);
  t.strictSame(ask(), []);
  for (const days of [4, 1, 3, 2]) servent.library.add(`${days}.txt`, Buffer.alloc(20, days), now - days * DAY_MS);
  t.strictSame(ask(), [['1.txt', '2.txt', '3.txt']]);
});

t.test('hits and pongs say that the port speaks TLS, when it does', async t => {
  const network = new VirtualNetwork();
  for (const tls of [false, true]) {
    const servent = network.add(`a${tls}`);
    servent.tls = tls;
    servent.library.share('song.ogg');
    const peer = network.puppet(servent);
    peer.send(query(2, 0, 'song'), encodeDescriptor(random.guid(), Type.Ping, 1, 0, Buffer.alloc(0)));
    network.settle();
    const [hit] = peer.ofType(Type.QueryHit);
    const pong = peer.ofType(Type.Pong).at(-1);
    t.equal(parseQueryHit(hit?.payload ?? Buffer.alloc(0)).tls, tls);
    t.equal(parsePong(pong?.payload ?? Buffer.alloc(0)).tls, tls);
  }
});
