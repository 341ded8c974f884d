import t from 'tap';
import type { DhtContact } from '../../../protocol/dht/dht-contact.ts';
import { type DhtValue, ValueType } from '../../../protocol/dht/dht-value.ts';
import { randomKuid } from '../../../protocol/dht/kuid.ts';
import { StoreCode } from '../../../protocol/dht/store-status.ts';
import { EXPIRE_MS, type Sender, ValueStore } from '../../../protocol/dht/value-store.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { anyContact, endpointOf } from '../../support/dht-contacts.ts';

const HOUR_MS = 3_600_000;

function scene(limits: { ofAddress?: number; ofNetwork?: number } = {}) {
  const random = new SeededRandom(1);
  const own = randomKuid(random);
  const { ofAddress = 64, ofNetwork = 512 } = limits;
  const store = new ValueStore({ own, reaches: ['public'], ofAddress, ofNetwork, ofKeyAndNetwork: 3 }, 0);
  const node = (n: number): DhtContact => anyContact(random, endpointOf(n));
  const value = (creator: DhtContact, changes: Partial<DhtValue> = {}): DhtValue => ({
    creator,
    key: own,
    type: ValueType.AltLocation,
    version: 1,
    data: Buffer.from('data'),
    ...changes,
  });
  const by = (contact: DhtContact): Sender => ({ contact, host: contact.endpoint.host });
  const put = (made: DhtValue, sender = made.creator, now = 0): number => store.put(made, by(sender), 0, now);
  return { random, own, store, node, value, by, put };
}

t.test('a value is stored, found by type and creator, replaced and removed by its creator', async t => {
  const { store, node, value, put, own } = scene();
  const [one, two] = [node(1), node(2)];
  t.equal(put(value(one)), StoreCode.Ok);
  t.equal(put(value(two, { data: Buffer.alloc(2) })), StoreCode.Ok);
  t.strictSame(
    store.get(own, ValueType.Any, [], 1).map(({ data }) => data.length),
    [2, 4],
    'smallest first',
  );
  t.equal(store.get(own, ValueType.PushProxy, [], 1).length, 0);
  t.equal(store.get(own, ValueType.AltLocation, [one.kuid], 1).length, 1);
  t.equal(put(value(one, { data: Buffer.from('other data') })), StoreCode.Ok);
  t.equal(store.size, 2);
  t.equal(store.bytes, 12);
  t.equal(put(value(one, { data: Buffer.alloc(0) })), StoreCode.Ok);
  t.equal(put(value(two, { data: Buffer.alloc(0) })), StoreCode.Ok);
  t.strictSame([store.size, store.keys, store.bytes], [0, 0, 0]);
});

t.test('what is kept is no view of the datagram', async t => {
  const { store, node, value, put, own } = scene();
  const made = value(node(1));
  put(made);
  made.data.fill(0);
  t.equal(store.get(own, ValueType.Any, [], 1)[0]?.data.toString(), 'data');
});

t.test('a creator that is not the sender, or says it is elsewhere, is refused', async t => {
  const { store, node, value, by, own } = scene();
  const creator = node(1);
  const put = (made: DhtValue, sender: Sender): number => store.put(made, sender, 0, 0);
  const elsewhere = { ...creator, endpoint: endpointOf(2) };
  t.equal(put(value(elsewhere), by(creator)), StoreCode.BadCreator, 'a victim as the creator');
  t.equal(put(value({ ...creator, vendor: 'XXXX' }), by(creator)), StoreCode.BadCreator);
  t.equal(put(value({ ...creator, version: 1 }), by(creator)), StoreCode.BadCreator);
  t.equal(put(value(creator), { contact: creator, host: '12.1.1.1' }), StoreCode.BadCreator, 'a foreign source');
  const isPrivate = { ...node(3), endpoint: { host: '10.0.0.1', port: 1 } };
  t.equal(put(value(isPrivate), by(creator)), StoreCode.BadCreator, 'a replica with a private address');
  t.equal(put(value({ ...node(3), kuid: own }), by(creator)), StoreCode.BadCreator, 'our own value by others');
  t.equal(put(value(creator, { type: ValueType.Any }), by(creator)), StoreCode.BadType);
  t.equal(put(value(creator, { data: Buffer.alloc(512) }), by(creator)), StoreCode.TooLarge);
  t.equal(put(value(creator, { data: Buffer.alloc(511) }), by(creator)), StoreCode.Ok);
});

t.test('a copy by another node neither changes a value, nor lengthens its life, nor brings it back', async t => {
  const { store, node, value, put, own } = scene();
  const [creator, other] = [node(1), node(2)];
  put(value(creator));
  t.equal(put(value(creator), other, HOUR_MS - 1), StoreCode.Ok);
  t.equal(put(value(creator, { data: Buffer.from('lies') }), other), StoreCode.DataMismatch);
  t.equal(put(value(creator, { data: Buffer.alloc(0) }), other), StoreCode.DataMismatch, 'nor removes it');
  t.equal(store.get(own, ValueType.Any, [], HOUR_MS - 1).length, 1);
  t.equal(store.get(own, ValueType.Any, [], HOUR_MS).length, 0);
  store.tick(HOUR_MS + EXPIRE_MS);
  t.equal(store.size, 0);
  t.equal(put(value(creator), other, HOUR_MS + EXPIRE_MS), StoreCode.Expired);
  t.equal(put(value(creator), creator, HOUR_MS + EXPIRE_MS), StoreCode.Ok, 'its creator may');
});

t.test('a key has sixteen values', async t => {
  const { store, node, value, put, own } = scene();
  for (let i = 0; i < 16; i++) t.equal(put(value(node(i))), StoreCode.Ok);
  t.equal(put(value(node(16))), StoreCode.Full);
  t.equal(store.get(own, ValueType.Any, [], 1).length, 16);
  for (let minute = 1; minute < 20; minute++)
    for (let i = 0; i < 20; i++) put(value(node(20 + i)), undefined, minute * 60_000);
  t.equal(put(value(node(99)), undefined, 20 * 60_000), StoreCode.FullAndLoaded);
  t.ok(store.isStormed(own, 20 * 60_000));
});

t.test('an address has its quota and a network has its own, as creators and as those that bring values', async t => {
  const { random, node, value, put, store } = scene({ ofAddress: 3, ofNetwork: 5 });
  const key = (): Buffer => randomKuid(random);
  const one = node(1);
  for (let i = 0; i < 3; i++) t.equal(put(value(one, { key: key() })), StoreCode.Ok);
  t.equal(put(value(one, { key: key() })), StoreCode.Quota);
  for (let n = 4; n < 7; n++) t.equal(put(value(one, { key: key() }), node(n)), StoreCode.Ok, 'brought by another');
  t.equal(put(value(one, { key: key() }), node(7)), StoreCode.Quota, 'copies have a quota of their own');
  t.equal(put(value(node(3), { key: key() }), one), StoreCode.Quota, 'brought for another');
  const neighbour = (n: number): DhtContact => anyContact(random, { host: `11.0.1.${n}`, port: 6346 });
  for (let i = 0; i < 2; i++) t.equal(put(value(neighbour(10 + i), { key: key() })), StoreCode.Ok);
  t.equal(put(value(neighbour(20), { key: key() })), StoreCode.Quota);
  store.tick(2 * HOUR_MS);
  t.equal(put(value(neighbour(20), { key: key() }), undefined, 2 * HOUR_MS), StoreCode.Ok, 'expired ones leave room');
});

t.test(
  'who says to have the KUID of a creator, at another address, neither replaces nor removes its value',
  async t => {
    const { store, node, value, put, own } = scene();
    const creator = node(1);
    put(value(creator));
    const impostor = { ...creator, endpoint: endpointOf(2) };
    t.equal(put(value(impostor, { data: Buffer.alloc(0) })), StoreCode.Ok);
    t.equal(put(value(impostor, { data: Buffer.from('lies') })), StoreCode.Ok, 'a value of its own');
    const texts = store.get(own, ValueType.Any, [creator.kuid], 1).map(({ data }) => data.toString());
    t.strictSame(texts, ['data', 'lies']);
    put(value(impostor, { data: Buffer.alloc(0) }));
    t.equal(store.size, 1);
  },
);

t.test('a value that its creator renews stays while others load its key, or all room is taken', async t => {
  const { store, node, value, put, own, random } = scene();
  const creator = node(1);
  put(value(creator));
  for (let minute = 0; minute < 5; minute++)
    for (let i = 0; i < 60; i++)
      put(value(node(100 + i), { data: Buffer.alloc(0) }), undefined, minute * 60_000 + i * 1_000);
  const now = 5 * 60_000;
  t.equal(put(value(node(3)), undefined, now), StoreCode.Loaded);
  t.equal(put(value(creator, { data: Buffer.from('more') }), undefined, now), StoreCode.Ok);
  t.equal(store.get(own, ValueType.Any, [creator.kuid], now)[0]?.data.toString(), 'more');
  for (let n = 10; store.size < 32_768; n++) put(value(node(n), { key: randomKuid(random) }), undefined, now);
  t.equal(put(value(creator), undefined, now), StoreCode.Ok);
  t.equal(store.size, 32_768);
});

t.test('one address that stores, removes and asks again and again does not load a key', async t => {
  const { store, node, value, put, own } = scene();
  put(value(node(1)));
  const attacker = node(2);
  let now = 0;
  for (let second = 0; second < 1_200; second++) {
    now += 1_000;
    t.equal(put(value(attacker), undefined, now), StoreCode.Ok);
    t.equal(put(value(attacker, { data: Buffer.alloc(0) }), undefined, now), StoreCode.Ok);
    store.get(own, ValueType.Any, [], now, attacker.endpoint.host);
  }
  t.notOk(store.isStormed(own, now));
  t.equal(put(value(node(3)), undefined, now), StoreCode.Ok);
  for (let minute = 0; minute < 5; minute++, now += 60_000)
    for (let n = 0; n < 12; n++) store.get(own, ValueType.Any, [], now, node(50 + n).endpoint.host);
  t.equal(put(value(node(4)), undefined, now), StoreCode.Loaded, 'many that ask do');
});

t.test(
  'values of creators that renew them live longer, up to two and a half times, where we should keep them',
  async t => {
    const renewMs = 55 * 60_000;
    const lifeAfter = (times: number, ballBits = 0): number => {
      const { own, store, node, by, value } = scene();
      const far = Buffer.from(own.map(byte => byte ^ 0xff));
      const made = value(node(1), ballBits > 0 ? { key: far } : {});
      for (let i = 0; i <= times; i++) store.put(made, by(made.creator), ballBits, i * renewMs);
      const [kept] = store.held();
      return ((kept?.expiresAt ?? 0) - times * renewMs) / HOUR_MS;
    };
    t.equal(lifeAfter(1), 1, 'a chance of one half is no gain');
    t.equal(lifeAfter(3), 1 + 3 * (0.75 - 0.5));
    const long = lifeAfter(500);
    t.ok(long > 2.4 && long < 2.5, `${long}`);
    t.ok(Math.abs(lifeAfter(1, 10) - 1 / 1.2 ** 10) < 1e-9, 'not outside of our k-ball');
    const { store, node, value, put } = scene();
    const copy = value(node(5));
    put(copy, node(6));
    put(copy, copy.creator, HOUR_MS / 2);
    put(copy, copy.creator, HOUR_MS);
    const [renewed] = store.held();
    t.equal(renewed?.since, HOUR_MS / 2, 'a copy says nothing of its creator');
  },
);

t.test('copies that somebody brings in the name of an address leave its quota to the address itself', async t => {
  const { random, node, value, put } = scene({ ofAddress: 3 });
  const key = (): Buffer => randomKuid(random);
  const victim = node(1);
  for (let i = 0; i < 6; i++) put(value({ ...node(2), endpoint: victim.endpoint }, { key: key() }), node(3));
  for (let i = 0; i < 3; i++) t.equal(put(value(victim, { key: key() })), StoreCode.Ok);
});

t.test('neither a network nor invented copies fill a key', async t => {
  const { store, random, node, value, put, own } = scene();
  for (let n = 1; n <= 20; n++) put(value(anyContact(random, { host: `12.0.0.${n}`, port: 6346 })));
  t.equal(store.size, 3);
  const liar = node(1);
  for (let n = 0; n < 20; n++) put(value(node(1_000 + n)), liar);
  t.equal(store.size, 16);
  for (let n = 2; n < 15; n++) t.equal(put(value(node(n))), StoreCode.Ok, 'copies make room');
  t.equal(put(value(node(15))), StoreCode.Full);
  t.ok(store.get(own, ValueType.Any, [], 1).every(({ original }) => original));
});

t.test('a hundred thousand values are bounded', async t => {
  const { random, store, node, value, put } = scene();
  let exhausted = 0;
  for (let i = 0; i < 40_000; i++)
    if (put(value(node(i), { key: randomKuid(random) })) === StoreCode.Exhausted) exhausted++;
  t.equal(store.size, 32_768);
  t.equal(exhausted, 40_000 - 32_768);
});

t.test('values far from us live shorter, and those that name no servents longer', async t => {
  const { random, own, store, node, by, value } = scene();
  const near = value(node(1));
  const far = value(node(2), { key: randomKuid(random, Buffer.from(own.map(byte => byte ^ 0xff)), 8) });
  const text = value(node(3), { type: 'TEXT' });
  for (const made of [near, far, text]) store.put(made, by(made.creator), 10, 0);
  const lives = (at: number): number[] => [near, far, text].map(({ key, type }) => store.get(key, type, [], at).length);
  const farLife = HOUR_MS / 1.2 ** 10;
  t.strictSame(lives(farLife - 1), [1, 1, 1]);
  t.strictSame(lives(farLife + 1), [1, 0, 1]);
  t.strictSame(lives(HOUR_MS), [0, 0, 1]);
  t.strictSame(lives(4 * HOUR_MS), [0, 0, 0]);
});

t.test('values that were kept come back with the life that is left, within the same bounds', async t => {
  const { store, node, value, put, own, random } = scene();
  for (let n = 0; n < 16; n++) put(value(node(n)));
  put(value(node(20), { key: randomKuid(random), type: 'TEXT' }));
  const held = [...store.held()];
  t.equal(held.length, 17);
  const fresh = (ofAddress = 64): ValueStore =>
    new ValueStore({ own, reaches: ['public'], ofAddress, ofNetwork: 512, ofKeyAndNetwork: 3 }, HOUR_MS / 2);
  const again = fresh();
  t.equal(again.restore(held, HOUR_MS / 2), 17);
  t.strictSame(
    [...again.held()].map(({ expiresAt }) => expiresAt),
    held.map(({ expiresAt }) => expiresAt),
  );
  t.equal(again.restore(held, HOUR_MS / 2), 0, 'none twice');
  t.strictSame([again.size, again.bytes], [store.size, store.bytes]);
  t.equal(fresh(0).restore(held, HOUR_MS / 2), 0, 'quotas hold');
  t.equal(fresh().restore(held, HOUR_MS), 1, 'what has expired is left out');
  const long = held.map(each => ({ ...each, expiresAt: 100 * HOUR_MS }));
  const capped = fresh();
  capped.restore(long, HOUR_MS / 2);
  t.ok(
    [...capped.held()].every(({ expiresAt }) => expiresAt <= 4.5 * HOUR_MS),
    'no longer than any value lives',
  );
  const [first] = held;
  if (first === undefined) throw new Error('no value');
  const wrong = [
    { ...first, data: Buffer.alloc(0) },
    { ...first, data: Buffer.alloc(512) },
    { ...first, creator: { ...first.creator, kuid: own } },
    { ...first, creator: { ...first.creator, endpoint: { host: '10.0.0.1', port: 1 } } },
  ];
  t.equal(fresh().restore(wrong, HOUR_MS / 2), 0);
});
