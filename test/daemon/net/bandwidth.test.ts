import t from 'tap';
import { Bandwidth } from '../../../daemon/net/bandwidth.ts';

t.test('without a limit nobody has to ask, and who asks gets all', async t => {
  const bandwidth = new Bandwidth();
  const usage = bandwidth.usage('upload');
  t.notOk(usage.limited);
  t.equal(await usage.ask(1e9), 1e9);
});

t.test('who asks gets what the limit allows, and all in the end', async t => {
  const bandwidth = new Bandwidth();
  const began = performance.now();
  bandwidth.limit('upload', 1_000_000);
  const usage = bandwidth.usage('upload');
  t.ok(usage.limited);
  let got = 0;
  while (got < 100_000) {
    const bytes = await usage.ask(100_000 - got);
    t.ok(bytes > 0);
    got += bytes;
  }
  const ms = performance.now() - began;
  t.ok(ms >= 95, `100 kB at 1 MB/s took ${ms} ms`);
  t.equal(bandwidth.waiting, 0);
});

t.test('a limit that is lifted or raised lets those go at once who wait', async t => {
  const bandwidth = new Bandwidth();
  bandwidth.limit('download', 1);
  const usage = bandwidth.usage('download');
  const asked = usage.ask(1_000_000);
  bandwidth.limit('download', 0);
  t.equal(await asked, 1_000_000);
});

t.test('a limit of a slot holds for uploads that are open and for new ones', async t => {
  const bandwidth = new Bandwidth();
  const open = bandwidth.usage('upload');
  bandwidth.limit('slot', 1000);
  t.ok(open.limited);
  t.ok(bandwidth.usage('upload').limited);
  t.notOk(bandwidth.usage('download').limited);
  open.close();
  t.equal(bandwidth.slots.size, 1);
});

t.test('a transfer that ends waits no longer, and stop() ends all waits', async t => {
  const bandwidth = new Bandwidth();
  bandwidth.limit('total', 1);
  const [a, b] = [bandwidth.usage('upload'), bandwidth.usage('download')];
  const asked = [a.ask(1000), b.ask(1000)];
  a.close();
  bandwidth.stop();
  t.ok((await Promise.all(asked)).every(bytes => bytes <= 1));
  t.equal(bandwidth.waiting, 0);
});

t.test('bytes are counted by part and direction', async t => {
  const bandwidth = new Bandwidth();
  bandwidth.usage('upload').moved(10);
  bandwidth.usage('download').moved(20);
  bandwidth.usage('udp').moved(3);
  bandwidth.received.overlay += 5;
  t.strictSame(bandwidth.total, { in: 25, out: 13 });
});

t.test('uploads of a group are limited together, live; a group that is gone has no limit', async t => {
  const bandwidth = new Bandwidth();
  bandwidth.limitGroups([{ name: 'home' }]);
  const home = bandwidth.usage('upload', 'home');
  t.notOk(home.limited);
  bandwidth.limitGroups([{ name: 'home', limit: 1000 }]);
  t.ok(home.limited);
  t.notOk(bandwidth.usage('upload').limited);
  const asked = home.ask(1_000_000_000);
  t.ok((await asked) < 1_000_000_000);
  const waits = home.ask(1_000_000_000);
  bandwidth.limitGroups([]);
  t.equal(await waits, 1_000_000_000);
});
