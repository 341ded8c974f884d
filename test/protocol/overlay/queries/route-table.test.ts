import fc from 'fast-check';
import t from 'tap';
import { hashOf, NO_LINK, RouteTable } from '../../../../protocol/overlay/queries/route-table.ts';
import { SeededRandom } from '../../../support/virtual-network.ts';

const limits = { entriesMin: 64, entriesMax: 1024, generationMs: 10_000 };
const table = (seed = 1): RouteTable => new RouteTable(limits, new SeededRandom(seed), 0);
const random = new SeededRandom(7);

t.test('a GUID is unknown, then known with its link and mark', async t => {
  const routes = table();
  const guid = random.guid();
  t.notOk(routes.find(guid, 0));
  routes.add(5, 3, 0);
  t.ok(routes.find(guid, 0));
  t.equal(routes.link, 5);
  t.equal(routes.mark, 3);
  t.equal(routes.alternate, NO_LINK);
  routes.alternate = 9;
  routes.mark = 4;
  t.notOk(routes.find(random.guid(), 0));
  t.ok(routes.find(guid, 0));
  t.equal(routes.alternate, 9);
  t.equal(routes.mark, 4);
});

t.test('a GUID is read where it stands in a larger buffer, and only whole', async t => {
  const routes = table();
  const guid = random.guid();
  const bytes = Buffer.concat([Buffer.alloc(7), guid, Buffer.alloc(3)]);
  t.notOk(routes.find(bytes, 7));
  routes.add(1, 0, 0);
  t.ok(routes.find(guid, 0));
  t.throws(() => routes.find(bytes, 11), RangeError);
});

t.test('any single bit makes another GUID', async t => {
  const routes = table();
  const guid = random.guid();
  routes.find(guid, 0);
  routes.add(1, 0, 0);
  for (let bit = 0; bit < 128; bit++) {
    const other = Buffer.from(guid);
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    t.notOk(routes.find(other, 0), `bit ${bit}`);
  }
});

t.test('it agrees with a Map as long as nothing expires', async () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 1e9 }))), events => {
      const routes = table();
      const map = new Map<number, number>();
      for (const [n, link] of events) {
        const guid = Buffer.alloc(16, n);
        const known = routes.find(guid, 0);
        if (known !== map.has(n) || (known && routes.link !== map.get(n))) return false;
        if (!known) {
          routes.add(link, 0, 0);
          map.set(n, link);
        }
      }
      return routes.entries === map.size;
    }),
  );
});

t.test('a hundred thousand random GUIDs keep the table at its bound, and it grew on the way there', async t => {
  const routes = table();
  const small = routes.memoryBytes;
  for (let i = 0; i < 100_000; i++) if (!routes.find(random.guid(), 0)) routes.add(1, 0, i / 1000);
  t.ok(routes.entries <= 2 * limits.entriesMax);
  t.ok(routes.entries >= limits.entriesMax);
  t.ok(routes.memoryBytes > small);
  t.equal(routes.memoryBytes, 2 * limits.entriesMax * 64);
  t.ok(routes.earlySwaps > 90);
});

t.test('when it is full the most recent ones are still known', async t => {
  const routes = table();
  const guids = Array.from({ length: 10_000 }, () => random.guid());
  for (const guid of guids) {
    routes.find(guid, 0);
    routes.add(1, 0, 1);
  }
  t.ok(guids.slice(-limits.entriesMax).every(guid => routes.find(guid, 0)));
});

t.test('an entry lives for one to two generations, longer when it is used', async t => {
  const routes = table();
  const idle = random.guid();
  const used = random.guid();
  for (const guid of [idle, used]) {
    routes.find(guid, 0);
    routes.add(1, 2, 0);
  }
  routes.tick(9_999);
  t.ok(routes.find(idle, 0));
  routes.tick(10_000);
  t.ok(routes.find(idle, 0), 'still in the old generation');
  t.ok(routes.find(used, 0));
  routes.touch(10_000);
  routes.tick(20_000);
  t.notOk(routes.find(idle, 0));
  t.ok(routes.find(used, 0));
  t.equal(routes.link, 1);
  t.equal(routes.mark, 2);
});

t.test('a table that had grown shrinks again when traffic falls', async t => {
  const routes = table();
  for (let i = 0; i < 5_000; i++) if (!routes.find(random.guid(), 0)) routes.add(1, 0, 0);
  const large = routes.memoryBytes;
  for (let now = 10_000; now < 200_000; now += 10_000) routes.tick(now);
  t.ok(routes.memoryBytes < large);
  t.equal(routes.memoryBytes, 2 * 64);
  t.equal(routes.entries, 0);
});

t.test('the hash is HalfSipHash-1-3', async t => {
  // the Linux kernel's vector for the bytes 00 to 0f under the key 00 to 07
  const hash = hashOf(0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c, 0x03020100, 0x07060504);
  t.equal(hash >>> 0, 0x8b31d501);
});

t.test('GUIDs that differ in few bits spread like random ones, and differently under each key', async t => {
  const fullest = (key: number): number => {
    const places = new Uint32Array(1024);
    for (let i = 0; i < 10_240; i++) {
      const place = hashOf(i, 0, 0, 0, key, ~key) & 1023;
      places[place] = (places[place] ?? 0) + 1;
    }
    return places.indexOf(Math.max(...places)) * 1000 + Math.max(...places);
  };
  const seen = [1, 2, 3, 4].map(fullest);
  t.ok(
    seen.every(one => one % 1000 < 30),
    'ten a place on average',
  );
  t.equal(new Set(seen).size, 4);
});
