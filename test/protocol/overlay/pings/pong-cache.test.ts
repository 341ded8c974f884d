import t from 'tap';
import { type CachedPong, PONGS_PER_LINE, PongCache } from '../../../../protocol/overlay/pings/pong-cache.ts';
import { SeededRandom } from '../../../support/virtual-network.ts';

const pong = (key: string, changes: Partial<CachedPong> = {}): CachedPong => ({
  payload: key,
  key,
  hops: 1,
  ultrapeer: true,
  linkId: 1,
  at: 0,
  ...changes,
});
const cache = (): PongCache => new PongCache(new SeededRandom(3), 40_000);
const keys = (pongs: CachedPong[]): string[] => pongs.map(({ key }) => key).sort();

t.test('pongs are spread over the distances', async t => {
  const pongs = cache();
  for (let hops = 0; hops < 5; hops++) for (let i = 0; i < 10; i++) pongs.add(pong(`${hops}/${i}`, { hops }));
  const picked = pongs.pick(10, 99, false, 0);
  for (let hops = 0; hops < 5; hops++) t.equal(picked.filter(one => one.hops === hops).length, 2);
});

t.test('a link never gets back what it brought', async t => {
  const pongs = cache();
  pongs.add(pong('mine', { linkId: 7 }));
  pongs.add(pong('other', { linkId: 8 }));
  t.strictSame(keys(pongs.pick(10, 7, false, 0)), ['other']);
});

t.test('leaves get ultrapeers only', async t => {
  const pongs = cache();
  pongs.add(pong('leaf', { ultrapeer: false }));
  pongs.add(pong('ultrapeer'));
  t.strictSame(keys(pongs.pick(10, 99, true, 0)), ['ultrapeer']);
});

t.test('a host is given once, whatever lines it is on', async t => {
  const pongs = cache();
  pongs.add(pong('twice', { hops: 1 }));
  pongs.add(pong('twice', { hops: 2 }));
  pongs.add(pong('twice', { hops: 2, at: 5 }));
  t.equal(pongs.size, 2);
  t.strictSame(keys(pongs.pick(10, 99, false, 5)), ['twice']);
});

t.test('old pongs are not given and then forgotten', async t => {
  const pongs = cache();
  pongs.add(pong('old'));
  pongs.add(pong('new', { at: 30_000 }));
  t.strictSame(keys(pongs.pick(10, 99, false, 41_000)), ['new']);
  pongs.expire(41_000);
  t.equal(pongs.size, 1);
});

t.test('a flood of pongs stays within the lines, and those of a dead link go', async t => {
  const pongs = cache();
  for (let i = 0; i < 10_000; i++) pongs.add(pong(`${i}`, { hops: i % 255, linkId: i % 2 }));
  t.ok(pongs.size <= 5 * PONGS_PER_LINE);
  const before = pongs.size;
  pongs.forgetLink(0);
  t.ok(pongs.size < before);
  t.ok(pongs.pick(100, 99, false, 0).every(({ linkId }) => linkId === 1));
});
