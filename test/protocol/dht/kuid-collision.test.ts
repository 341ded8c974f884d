import t from 'tap';
import type { DhtContact } from '../../../protocol/dht/dht-contact.ts';
import { KUID_CHANGE_MS } from '../../../protocol/dht/kuid-collision.ts';
import type { Endpoint } from '../../../protocol/wire/endpoint.ts';
import { contactOf, endpointOf } from '../../support/dht-contacts.ts';
import { DhtScene, type SentMessage } from '../../support/dht-scene.ts';

const MINUTE_MS = 60_000;
const namesake = endpointOf(5_000);

interface Story {
  /** Until when the namesake answers PINGs. */
  readonly answersMs?: number;
  /** Nodes that name it. */
  readonly witnesses?: number;
  /** What they name. */
  readonly named?: Endpoint;
  /** Our requests come back to us in place of an answer. */
  readonly echoes?: boolean;
  /** A neighbour sends back what it is asked. */
  readonly mocks?: boolean;
}

/** A node with 30 neighbours hears of a namesake; half an hour passes. Returns the requests that were made because of it. */
function hear(scene: DhtScene, neighbours: readonly DhtContact[], story: Story = {}): SentMessage[] {
  const { answersMs = 60 * MINUTE_MS, witnesses = 0, named = namesake, echoes = false, mocks = false } = story;
  const { kuid: own } = scene.dht;
  const began = scene.now;
  const probes: SentMessage[] = [];
  const answer = (sent: SentMessage): void => {
    const { message, to } = sent;
    const { muid, contact } = message.header;
    if (contact.kuid.equals(own) || contact.kuid.equals(scene.dht.kuid)) {
      const neighbour = neighbours.find(({ endpoint }) => endpoint.host === to.host);
      if (neighbour !== undefined && message.kind === 'ping')
        scene.receive(neighbour, { kind: 'pong', requester: scene.endpoint, networkSize: 1n }, { muid });
      else if (neighbour !== undefined)
        scene.receive(neighbour, { kind: 'foundNode', token: Buffer.alloc(0), contacts: [] }, { muid });
      return; // not of the check
    }
    probes.push(sent);
    if (message.kind === 'ping') {
      if (echoes) scene.receive(contact, { kind: 'ping' }, { from: namesake, muid, firewalled: true });
      else if (scene.now - began <= answersMs)
        scene.receive(contactOf(own, namesake), { kind: 'pong', requester: scene.endpoint, networkSize: 1n }, { muid });
    } else if (message.kind === 'findNode') {
      if (mocks && hostsAsked(probes).size === 1) {
        scene.receive(contact, message, { from: to, muid, firewalled: true });
        return;
      }
      const index = neighbours.findIndex(({ endpoint }) => endpoint.host === to.host);
      const contacts = hostsAsked(probes).size <= witnesses ? [contactOf(own, named)] : [];
      scene.receive(neighbours[index] as DhtContact, { kind: 'foundNode', token: Buffer.alloc(4), contacts }, { muid });
    }
  };
  for (const sent of scene.receive(contactOf(own, namesake), { kind: 'ping' })) answer(sent);
  for (let seconds = 0; seconds < 1_800; seconds += 2) for (const sent of scene.pass(2_000)) answer(sent);
  return probes;
}

const hostsAsked = (probes: readonly SentMessage[]): Set<string> =>
  new Set(probes.filter(({ message: { kind } }) => kind === 'findNode').map(({ to }) => to.host));

function withNeighbours(): { scene: DhtScene; neighbours: DhtContact[]; own: Buffer } {
  const scene = new DhtScene();
  return { scene, neighbours: scene.acquaintAll(30), own: scene.dht.kuid };
}

t.test('a node takes a new KUID when another one answers to its own, and nodes around it name that one', async t => {
  const { scene, neighbours, own } = withNeighbours();
  const key = Buffer.alloc(20, 7);
  scene.dht.publish({ key, type: 'ALOC', version: 1, data: Buffer.from('here') }, scene.now);
  const probes = hear(scene, neighbours, { witnesses: 2 });
  t.notSame(scene.dht.kuid, own);
  t.equal(scene.dht.counters.kuidChanges, 1);
  t.ok(scene.dht.parts?.publisher.has(key, 'ALOC'), 'what it publishes goes on');
  t.same(scene.dht.parts?.table.own, scene.dht.kuid);
  t.equal(probes.filter(({ message }) => message.kind === 'ping').length, 3);
  t.ok(
    probes.every(({ message: { header } }) => header.firewalled),
    'nobody keeps the KUID that was made up',
  );
});

t.test('neither a liar alone, nor one with a single witness, moves a node', async t => {
  for (const witnesses of [0, 1]) {
    const { scene, neighbours, own } = withNeighbours();
    hear(scene, neighbours, { witnesses });
    t.same(scene.dht.kuid, own);
  }
  const { scene, neighbours, own } = withNeighbours();
  hear(scene, neighbours, { witnesses: 8, named: scene.endpoint });
  t.same(scene.dht.kuid, own, 'they know us');
});

t.test('a namesake that falls silent moves nobody, and a forged source costs one PING', async t => {
  const { scene, neighbours, own } = withNeighbours();
  hear(scene, neighbours, { witnesses: 8, answersMs: 11 * MINUTE_MS });
  t.same(scene.dht.kuid, own);
  const other = withNeighbours();
  t.equal(hear(other.scene, other.neighbours, { witnesses: 8, answersMs: -1 }).length, 1);
  t.same(other.scene.dht.kuid, other.own);
});

t.test('our own requests that a router sends back are no other node', async t => {
  const { scene, neighbours, own } = withNeighbours();
  t.equal(hear(scene, neighbours, { witnesses: 8, echoes: true }).length, 1);
  t.same(scene.dht.kuid, own);
});

t.test('a neighbour that sends our question back keeps no node from moving', async t => {
  const { scene, neighbours, own } = withNeighbours();
  hear(scene, neighbours, { witnesses: 8, mocks: true });
  t.notSame(scene.dht.kuid, own);
});

t.test('a node moves once a day', async t => {
  const { scene, neighbours } = withNeighbours();
  hear(scene, neighbours, { witnesses: 2 });
  t.equal(scene.dht.counters.kuidChanges, 1);
  const again = scene.acquaintAll(30);
  t.strictSame(hear(scene, again, { witnesses: 8 }), [], 'not even asked');
  scene.pass(KUID_CHANGE_MS);
  const later = scene.acquaintAll(30);
  hear(scene, later, { witnesses: 8 });
  t.equal(scene.dht.counters.kuidChanges, 2);
});
