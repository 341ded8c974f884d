// What a node answers when it is asked often, by few, or from behind a router.
import t from 'tap';
import { K } from '../../../protocol/dht/bucket.ts';
import { encodeDhtMessage } from '../../../protocol/dht/dht-message.ts';
import { ValueType } from '../../../protocol/dht/dht-value.ts';
import type { DhtBody } from '../../../protocol/dht/requests.ts';
import { DhtScene } from '../../support/dht-scene.ts';

function find(target: Buffer): DhtBody {
  return { kind: 'findNode', target };
}

t.test(
  'in a network of few nodes each key is near: a node that asks 35 times a second is answered each time',
  async t => {
    const scene = new DhtScene();
    const [asker] = scene.acquaintAll(3);
    if (asker === undefined) throw new Error('nobody');
    scene.pass(60_000);
    const near = Buffer.from(scene.dht.kuid.map((byte, i) => (i > 1 ? byte ^ 0xff : byte)));
    const ask = (count: number, stepMs: number): number => {
      let answers = 0;
      for (let i = 0; i < count; i++) {
        scene.now += stepMs;
        answers += scene.receive(asker, find(near)).filter(({ message }) => message.kind === 'foundNode').length;
      }
      return answers;
    };
    t.equal(ask(2_000, 28), 2_000);
    const flood = ask(2_000, 1);
    t.ok(flood < 500, `${flood} of a flood: a bucket of 200 and 100 a second`);
    scene.acquaintAll(300);
    scene.pass(120_000);
    const limited = ask(2_000, 28);
    t.ok(limited < 100, `${limited}: with more nodes than keep a value the usual limits hold`);
  },
);

t.test('nor does a forged address get more bytes there than four times those that were sent', async t => {
  const scene = new DhtScene();
  scene.acquaintAll(K - 1);
  const victim = scene.contact(500);
  const body = find(victim.kuid);
  const muid = scene.random.guid();
  const header = { muid, contact: victim, instance: 1, firewalled: true, leaving: false };
  const bytes = encodeDhtMessage({ ...body, header });
  let [sent, out] = [0, 0];
  for (let i = 0; i < 1_000; i++) {
    scene.now += 20;
    sent += bytes.length;
    for (const one of scene.receiveBytes(bytes, victim.endpoint)) out += one.bytes;
  }
  t.ok(out > sent && out <= 4 * sent, `${out} bytes for ${sent}`);
});

t.test('short lists of contacts differ, so that who asks several nodes learns of all twenty', async t => {
  const scene = new DhtScene();
  scene.acquaintAll(100);
  const key = scene.dht.kuid;
  const nearest = (scene.dht.parts?.table.closest(key, K) ?? []).map(({ kuid }) => kuid.toString('hex'));
  const named = new Set<string>();
  for (let i = 0; i < 30; i++) {
    const found = scene.receive(scene.contact(500 + i), find(key)).find(({ message }) => message.kind === 'foundNode');
    if (found?.message.kind !== 'foundNode') throw new Error('no answer');
    const kuids = found.message.contacts.map(({ kuid }) => kuid.toString('hex'));
    t.ok(kuids.length < 8);
    t.strictSame(kuids.slice(0, 2), nearest.slice(0, 2), 'the two nearest are in each');
    for (const kuid of kuids) named.add(kuid);
  }
  t.strictSame(named, new Set(nearest));
});

t.test('a firewalled asker proves its address by the token of a STORE, and gets long values then', async t => {
  const scene = new DhtScene();
  const key = scene.dht.kuid;
  const creator = scene.acquaint(scene.contact(1));
  const tokenFor = (contact = creator, firewalled = false): Buffer => {
    const found = scene.receive(contact, find(key), { firewalled }).find(({ message }) => message.kind === 'foundNode');
    if (found?.message.kind !== 'foundNode') throw new Error('no token');
    return Buffer.from(found.message.token);
  };
  const store = (contact = creator, token = tokenFor(), firewalled = false, bytes = 400): void => {
    const values = [{ creator: contact, key, type: 'ALOC', version: 1, data: Buffer.alloc(bytes) }];
    scene.receive(contact, { kind: 'store', token, values, oversized: [] }, { firewalled });
  };
  store();
  const asker = scene.contact(2);
  const firewalled = true;
  const whole = (): number => {
    const body: DhtBody = { kind: 'findValue', key, secondaryKeys: [], type: ValueType.Any };
    const [answer] = scene.receive(asker, body, { firewalled });
    if (answer?.message.kind !== 'value') throw new Error('no value');
    return answer.message.values.length;
  };
  t.equal(whole(), 0, 'only named');
  store(asker, Buffer.alloc(4), firewalled, 20);
  t.equal(whole(), 0, 'a wrong token proves nothing');
  store(asker, tokenFor(asker, firewalled), firewalled, 20);
  t.equal(whole(), 2);
});

t.test('blocked addresses that nodes name are neither asked nor taken up, and are counted', async t => {
  const blocked = { host: '77.7.7.7', port: 6346 };
  const scene = new DhtScene({ refuses: ({ host }) => host === blocked.host });
  const liar = scene.acquaint(scene.contact(1));
  scene.dht.seed([blocked], scene.now);
  scene.dht.findNode(scene.contact(3).kuid, scene.now, () => undefined);
  const contacts = [scene.contactAt(blocked), scene.contact(2)];
  scene.answer(liar, { kind: 'foundNode', token: Buffer.alloc(4), contacts });
  scene.pass(300_000);
  t.notOk(scene.sent.some(({ to }) => to.host === blocked.host));
  t.ok(
    scene.sent.some(({ to }) => to.host === contacts[1]?.endpoint.host),
    'the other one was asked',
  );
  t.equal(scene.dht.parts?.table.find(contacts[0]?.kuid as Buffer), null);
  t.equal(scene.dht.counters.doubts.of('refused'), 1);
});

t.test('a node that says to leave gets no more bytes than others, though it is pinged', async t => {
  const scene = new DhtScene();
  scene.acquaintAll(200);
  const waiting = Array.from({ length: 60 }, (_, n) => scene.contact(1_000 + n));
  for (const contact of waiting) scene.receive(contact, { kind: 'ping' });
  scene.now += 31_000;
  let pinged = 0;
  for (const contact of waiting) {
    for (const changes of [{ leaving: true }, { firewalled: true }]) {
      const header = { muid: scene.random.guid(), contact, instance: 1, firewalled: false, leaving: false, ...changes };
      const bytes = encodeDhtMessage({ ...find(scene.dht.kuid), header });
      const sent = scene.receiveBytes(bytes, contact.endpoint);
      if (sent.some(({ message }) => message.kind === 'ping')) pinged++;
      t.ok(sent.reduce((sum, one) => sum + one.bytes, 0) <= 4 * bytes.length);
    }
  }
  t.ok(pinged > 0, 'some that were not proven are pinged');
});
