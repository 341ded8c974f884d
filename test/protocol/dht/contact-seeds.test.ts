import t from 'tap';
import type { DhtContact } from '../../../protocol/dht/dht-contact.ts';
import { DhtScene } from '../../support/dht-scene.ts';

function askedOf(scene: DhtScene, { endpoint }: DhtContact): string[] {
  return scene.sent.filter(({ to }) => to.host === endpoint.host).map(({ message }) => message.kind);
}

t.test('a node that owes no PONG, as after a quick restart, is asked for nodes around us', async t => {
  const scene = new DhtScene();
  const known = scene.contact(1);
  scene.dht.seed([known.endpoint], scene.now);
  scene.pass(4_900);
  t.strictSame(askedOf(scene, known), ['ping']);
  scene.pass(200);
  t.strictSame(askedOf(scene, known), ['ping', 'findNode']);
  const last = scene.sent.at(-1)?.message;
  t.strictSame(last?.kind === 'findNode' && last.target, scene.dht.kuid);
  scene.answer(known, { kind: 'foundNode', token: Buffer.alloc(4), contacts: [] });
  t.equal(scene.dht.parts?.table.goodNodes, 1);
  t.equal(scene.dht.parts?.seeds.size, 0);
});

t.test(
  'an address where nobody answers is given up after five tries; five addresses are tried at one time',
  async t => {
    const scene = new DhtScene();
    const contacts = Array.from({ length: 7 }, (_, i) => scene.contact(i));
    scene.dht.seed(
      contacts.map(({ endpoint }) => endpoint),
      scene.now,
    );
    const first = scene.pass(4_900);
    t.equal(first.length, 5);
    scene.pass(600_000);
    for (const contact of contacts)
      t.strictSame(askedOf(scene, contact), Array(5).fill(['ping', 'findNode']).flat(), contact.endpoint.host);
    t.equal(scene.dht.parts?.seeds.size, 0);
  },
);
