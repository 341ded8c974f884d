import fc from 'fast-check';
import t from 'tap';
import { K } from '../../../protocol/dht/bucket.ts';
import { encodeDhtMessage } from '../../../protocol/dht/dht-message.ts';
import { LOCAL_DHT } from '../../../protocol/dht/dht-rules.ts';
import { ValueType } from '../../../protocol/dht/dht-value.ts';
import type { LookupResult } from '../../../protocol/dht/lookup-result.ts';
import type { DhtBody } from '../../../protocol/dht/requests.ts';
import { StoreCode } from '../../../protocol/dht/store-status.ts';
import { TOKEN_ROTATE_MS } from '../../../protocol/dht/tokens.ts';
import { dhtHeader, dhtMessage } from '../../support/dht-arbitraries.ts';
import { DhtScene } from '../../support/dht-scene.ts';

const ping: DhtBody = { kind: 'ping' };

function find(target: Buffer): DhtBody {
  return { kind: 'findNode', target };
}

function kinds(sent: readonly { readonly message: { readonly kind: string } }[]): string[] {
  return sent.map(({ message }) => message.kind);
}

t.test('off, nothing is answered; passive, nothing is answered and requests say so', async t => {
  for (const mode of ['off', 'passive'] as const) {
    const scene = new DhtScene({ mode });
    t.strictSame(scene.receive(scene.contact(1), ping), []);
    t.strictSame(scene.receive(scene.contact(2), find(scene.dht.kuid)), []);
    t.equal(scene.dht.counters.dropped.of(mode), 2);
  }
  const scene = new DhtScene({ mode: 'passive' });
  const seed = scene.contact(1);
  scene.dht.seed([seed.endpoint], scene.now);
  const [asked] = scene.pass(1);
  t.equal(asked?.message.kind, 'ping');
  t.equal(asked?.message.header.firewalled, true);
  scene.answer(seed, { kind: 'pong', requester: scene.endpoint, networkSize: 1n });
  t.equal(scene.dht.parts?.table.goodNodes, 1);
});

t.test('an answer goes to the source of the datagram, whatever address its contact names', async t => {
  const scene = new DhtScene();
  scene.acquaintAll(30);
  const victim = { host: '99.9.9.9', port: 53 };
  const from = { host: '98.1.1.1', port: 4_000 };
  const asker = scene.contactAt(victim);
  const first = scene.receive(asker, find(asker.kuid), { from });
  t.strictSame(kinds(first), ['foundNode']);
  t.ok(first.every(({ to }) => to.host === from.host && to.port === from.port));
  const later = scene.pass(120_000);
  t.notOk(later.some(({ to }) => to.host === victim.host));
  t.equal(scene.dht.parts?.table.find(asker.kuid), null);
});

t.test('an address that has proven nothing gets at most four times the bytes that it sent', async t => {
  const scene = new DhtScene();
  scene.acquaintAll(200);
  const creator = scene.acquaint(scene.contact(900));
  const key = scene.dht.kuid;
  const [found] = scene.receive(creator, find(key));
  if (found?.message.kind !== 'foundNode') throw new Error('no token');
  const { token } = found.message;
  for (const type of ['ALOC', 'PROX', 'NOPE', 'TEXT'])
    scene.receive(creator, {
      kind: 'store',
      token,
      values: [{ creator, key, type, version: 0, data: Buffer.alloc(120) }],
      oversized: [],
    });
  t.equal(scene.dht.parts?.values.size, 4);
  const bodies: DhtBody[] = [
    ping,
    find(key),
    find(creator.kuid),
    { kind: 'findValue', key, secondaryKeys: [], type: ValueType.Any },
    { kind: 'findValue', key, secondaryKeys: [creator.kuid], type: 'ALOC' },
    { kind: 'store', token: Buffer.alloc(4), values: [], oversized: [] },
  ];
  let answers = 0;
  for (let i = 0; i < 600; i++) {
    const asker = scene.contact(1_000 + (i % 300));
    const body = bodies[i % bodies.length] as DhtBody;
    const muid = scene.random.guid();
    const header = { muid, contact: asker, instance: 1, firewalled: i % 5 === 0, leaving: i % 7 === 0 };
    const bytes = encodeDhtMessage({ ...body, header });
    const sent = scene.receiveBytes(bytes, asker.endpoint);
    answers += sent.length;
    const out = sent.filter(({ to }) => to.host === asker.endpoint.host).reduce((sum, one) => sum + one.bytes, 0);
    if (out > 4 * bytes.length) t.fail(`${out} bytes for ${bytes.length} to ${body.kind}`);
    scene.now += 100;
  }
  t.ok(answers > 300, `${answers} answers`);
});

t.test('an address that has proven itself gets twenty contacts', async t => {
  const scene = new DhtScene();
  scene.acquaintAll(100);
  const stranger = scene.contact(500);
  const few = scene.receive(stranger, find(stranger.kuid)).find(({ message }) => message.kind === 'foundNode');
  const friend = scene.acquaint(scene.contact(501));
  const many = scene.receive(friend, find(friend.kuid)).find(({ message }) => message.kind === 'foundNode');
  if (few?.message.kind !== 'foundNode' || many?.message.kind !== 'foundNode') throw new Error('no answer');
  t.ok(few.message.contacts.length >= 5 && few.message.contacts.length <= 7, `${few.message.contacts.length}`);
  t.equal(many.message.contacts.length, K);
  t.notOk(
    many.message.contacts.some(({ kuid }) => kuid.equals(friend.kuid)),
    'not the asker itself',
  );
});

t.test('a flood from one address is answered at its pace', async t => {
  const scene = new DhtScene();
  scene.acquaintAll(300);
  const far = Buffer.from(scene.dht.kuid.map(byte => byte ^ 0xff));
  const flooder = scene.acquaint(scene.contact(600));
  scene.pass(60_000);
  const before = scene.sent.length;
  for (let i = 0; i < 10_000; i++) {
    scene.receive(flooder, i % 2 === 0 ? ping : find(far));
    scene.now += 10;
  }
  const answers = kinds(scene.sent.slice(before));
  // 100 s
  t.ok(answers.filter(kind => kind === 'pong').length <= 4, 'PING: one in 30 s');
  t.ok(answers.filter(kind => kind === 'foundNode').length <= 10, 'FIND_NODE: one in 10 s');
  t.ok(scene.dht.counters.dropped.of('too_often') > 9_000);
});

t.test('a hundred thousand strangers leave the node within its bounds', async t => {
  const scene = new DhtScene();
  scene.acquaintAll(50);
  for (let i = 0; i < 30_000; i++) {
    const at = { host: `${20 + (i % 150)}.${(i >> 8) & 255}.${i & 255}.${i % 250}`, port: 1 + (i % 60_000) };
    scene.receive(scene.contactAt(at), ping);
  }
  const { table, requests } = scene.dht.parts ?? {};
  t.ok((table?.size ?? 9_999) <= 4_096);
  t.ok((requests?.waiting ?? 9_999) <= 512);
  scene.pass(120_000);
  t.ok((requests?.waiting ?? 9_999) <= 20);
  t.ok((table?.size ?? 9_999) < 600, `${table?.size} are left of which nobody has answered`);
});

t.test('answers that nobody asked for change nothing', async t => {
  const scene = new DhtScene();
  const liar = scene.contact(1);
  const contacts = [scene.contact(2)];
  const values = [{ creator: liar, key: scene.dht.kuid, type: 'ALOC', version: 0, data: Buffer.alloc(3) }];
  const bodies: DhtBody[] = [
    { kind: 'pong', requester: liar.endpoint, networkSize: 2n ** 159n },
    { kind: 'foundNode', token: Buffer.alloc(4), contacts },
    { kind: 'value', load: 1, values, secondaryKeys: [] },
    { kind: 'storeAck', statuses: [] },
  ];
  for (const body of bodies) t.strictSame(scene.receive(liar, body), []);
  t.equal(scene.dht.counters.dropped.of('unasked'), bodies.length);
  t.equal(scene.dht.parts?.table.size, 0);
  t.equal(scene.dht.networkSize, 1);
});

t.test('a lookup asks a victim once and once more, and the next one does not for a while', async t => {
  const scene = new DhtScene();
  const liar = scene.acquaint(scene.contact(1));
  scene.pass(30_000);
  const victim = { host: '99.9.9.9', port: 53 };
  const ends: LookupResult[] = [];
  let toVictim = 0;
  for (let i = 0; i < 5; i++) {
    const target = scene.random.guid();
    scene.dht.findNode(Buffer.concat([target, Buffer.alloc(4)]), scene.now, result => ends.push(result));
    const contacts = Array.from({ length: 20 }, () => scene.contactAt(victim));
    if (scene.sent.at(-1)?.to.host === liar.endpoint.host)
      scene.answer(liar, { kind: 'foundNode', token: Buffer.alloc(4), contacts });
    scene.pass(40_000);
    toVictim = scene.sent.filter(({ to }) => to.host === victim.host).length;
    if (i === 0) t.equal(toVictim, 2, 'it was named');
  }
  t.equal(ends.length, 5);
  t.equal(toVictim, 2);
});

t.test('a value is stored with the right token only', async t => {
  const scene = new DhtScene();
  const creator = scene.acquaint(scene.contact(1));
  const other = scene.acquaint(scene.contact(2));
  const key = scene.dht.kuid;
  const [found] = scene.receive(creator, find(key));
  if (found?.message.kind !== 'foundNode') throw new Error('no token');
  const { token } = found.message;
  const value = { creator, key, type: 'ALOC', version: 1, data: Buffer.from('here') };
  const store = (given: Buffer, by = creator, made = value): number | null => {
    const [ack] = scene.receive(by, { kind: 'store', token: given, values: [made], oversized: [] });
    return ack?.message.kind === 'storeAck' ? (ack.message.statuses[0]?.code ?? null) : null;
  };
  t.equal(store(Buffer.alloc(4)), StoreCode.BadToken, 'wrong');
  t.equal(store(token, other, { ...value, creator: other }), StoreCode.BadToken, 'borrowed');
  t.equal(scene.dht.parts?.values.size, 0);
  t.equal(store(token), StoreCode.Ok);
  const [answer] = scene.receive(other, { kind: 'findValue', key, secondaryKeys: [], type: 'ALOC' });
  t.equal(answer?.message.kind, 'value');
  if (answer?.message.kind === 'value') t.equal(answer.message.values[0]?.data.toString(), 'here');
  scene.now += 3 * TOKEN_ROTATE_MS;
  t.equal(store(token), StoreCode.BadToken, 'old');
});

t.test('a value that is too large is answered so', async t => {
  const scene = new DhtScene();
  const creator = scene.acquaint(scene.contact(1));
  const [found] = scene.receive(creator, find(scene.dht.kuid));
  if (found?.message.kind !== 'foundNode') throw new Error('no token');
  const value = { creator, key: scene.dht.kuid, type: 'ALOC', version: 1, data: Buffer.alloc(511) };
  const { token } = found.message;
  const header = { muid: scene.random.guid(), contact: creator, instance: 1, firewalled: false, leaving: false };
  const bytes = encodeDhtMessage({ kind: 'store', token, values: [value], oversized: [], header });
  const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
  longer.writeUInt32LE(longer.length - 23, 19);
  longer.writeUInt16BE(512, bytes.length - 513);
  const [ack] = scene.receiveBytes(longer, creator.endpoint);
  t.equal(ack?.message.kind === 'storeAck' && ack.message.statuses[0]?.code, StoreCode.TooLarge);
  t.equal(scene.dht.parts?.values.size, 0);
});

t.test('values that do not fit into an answer are named, and the asker fetches them', async t => {
  const scene = new DhtScene({ rules: LOCAL_DHT });
  const asker = scene.acquaint(scene.contactAt({ host: '127.0.0.1', port: 999 }));
  const key = scene.dht.kuid;
  for (let i = 0; i < 6; i++) {
    const creator = scene.acquaint(scene.contactAt({ host: '127.0.0.1', port: 1_000 + i }));
    const found = scene.receive(creator, find(key)).find(({ message }) => message.kind === 'foundNode');
    if (found?.message.kind !== 'foundNode') throw new Error('no token');
    const values = [{ creator, key, type: 'ALOC', version: 1, data: Buffer.alloc(300, i) }];
    scene.receive(creator, { kind: 'store', token: found.message.token, values, oversized: [] });
  }
  const [first] = scene.receive(asker, { kind: 'findValue', key, secondaryKeys: [], type: 'ALOC' });
  if (first?.message.kind !== 'value') throw new Error('no value');
  t.equal(first.message.values.length + first.message.secondaryKeys.length, 6);
  t.ok(first.bytes <= 1_024 && first.message.values.length >= 2);
  const secondaryKeys = first.message.secondaryKeys.slice(0, 2);
  const [rest] = scene.receive(asker, { kind: 'findValue', key, secondaryKeys, type: 'ALOC' });
  t.equal(rest?.message.kind === 'value' && rest.message.values.length, 2);
});

t.test('a node that answers with another KUID is not the one that it was', async t => {
  const scene = new DhtScene();
  const node = scene.acquaint(scene.contact(1));
  scene.dht.findNode(node.kuid, scene.now, () => undefined, true);
  const changed = scene.contactAt(node.endpoint);
  scene.answer(changed, { kind: 'foundNode', token: Buffer.alloc(4), contacts: [] });
  t.equal(scene.dht.parts?.table.find(node.kuid), null);
  t.ok(scene.dht.parts?.table.find(changed.kuid));
});

t.test('who claims the KUID of a node gets nothing while the old address answers', async t => {
  const scene = new DhtScene();
  const node = scene.acquaint(scene.contact(1));
  scene.now += 60_000;
  const sent = scene.receive({ ...node, endpoint: scene.contact(2).endpoint }, ping);
  t.ok(sent.some(({ message, to }) => message.kind === 'ping' && to.host === node.endpoint.host));
  scene.answer(node, { kind: 'pong', requester: scene.endpoint, networkSize: 1n });
  scene.pass(60_000);
  t.strictSame(scene.dht.parts?.table.find(node.kuid)?.endpoint, node.endpoint);
});

t.test('a forged good-bye is not enough to lose a node', async t => {
  const scene = new DhtScene();
  const node = scene.acquaint(scene.contact(1));
  scene.now += 60_000;
  scene.receive(node, ping, { leaving: true });
  const known = scene.dht.parts?.table.find(node.kuid);
  t.equal(known?.state, 'stale');
  scene.answer(node, { kind: 'pong', requester: scene.endpoint, networkSize: 1n });
  t.equal(known?.state, 'good');
  scene.dht.leave(scene.now);
  t.ok(scene.sent.at(-1)?.message.header.leaving, 'ours goes to the nodes around us');
  t.equal(scene.dht.mode, 'off');
});

t.test('no datagram does harm', async t => {
  const scene = new DhtScene();
  scene.acquaintAll(20);
  const from = { host: '11.0.5.1', port: 6346 };
  fc.assert(
    fc.property(dhtMessage, dhtHeader, fc.nat(200), fc.nat(255), (message, header, at, byte) => {
      const bytes = encodeDhtMessage({ ...message, header } as typeof message);
      scene.dht.receive(bytes, from, scene.now++);
      bytes[Math.min(at, bytes.length - 1)] = byte;
      scene.dht.receive(bytes, from, scene.now++);
      scene.dht.receive(bytes.subarray(0, at), from, scene.now++);
      scene.dht.tick(scene.now);
    }),
    { numRuns: 500, seed: 1 },
  );
  t.ok((scene.dht.parts?.table.size ?? 0) < 60);
});
