// The DHT: lookups in 10,000 nodes, with a fifth of them gone and while they come and go, what an idle node sends, and what one node costs.
import { Dht } from '../protocol/dht/dht.ts';
import type { DhtContact } from '../protocol/dht/dht-contact.ts';
import type { DhtHeader } from '../protocol/dht/dht-header.ts';
import { encodeDhtMessage } from '../protocol/dht/dht-message.ts';
import { PUBLIC_DHT } from '../protocol/dht/dht-rules.ts';
import { randomKuid } from '../protocol/dht/kuid.ts';
import { StoreCode } from '../protocol/dht/store-status.ts';
import { ValueStore } from '../protocol/dht/value-store.ts';
import { Churn } from '../sim/dht/churn.ts';
import { DhtNetwork } from '../sim/dht/dht-network.ts';
import { bytesOfAll, lookUps } from '../sim/dht/trials.ts';
import { startWarm } from '../sim/dht/warm-start.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { anyContact, contactOf, endpointOf } from '../test/support/dht-contacts.ts';
import { liveBytes } from './process/live-bytes.ts';

export const about = 'dht: lookups in 10,000 nodes, bytes of an idle node, memory and time of one node';

const NODES = Number(process.env['NODES'] ?? 10_000);
const CHURN_NODES = 300;
const LOOKUPS = 200;
const MINUTE_MS = 60_000;
const VALUES = 10_000;
const IDLE_MINUTES = 1;
const OPCODE_AT = 23;
const PING = 1;
const FOUND_NODE = 6;

function valuesMemory(live: () => number): number {
  const random = new SeededRandom(2);
  const before = live();
  const store = new ValueStore(
    { own: randomKuid(random), reaches: ['public'], ofAddress: 64, ofNetwork: 512, ofKeyAndNetwork: 3 },
    0,
  );
  for (let i = 0; i < VALUES; i++) {
    const creator = anyContact(random, endpointOf(i));
    const value = { creator, key: randomKuid(random), type: 'ALOC', version: 1, data: Buffer.alloc(120, i) };
    if (store.put(value, { contact: creator, host: creator.endpoint.host }, 0, 0) !== StoreCode.Ok)
      throw new Error('not stored');
  }
  const bytes = live() - before;
  if (store.size !== VALUES) throw new Error(`${store.size} values`);
  return bytes;
}

/** A node that knows as many others as have found a place, which have proven their addresses. */
function acquainted(random: SeededRandom, now: number, onAnswer: () => void): { dht: Dht; known: DhtContact[] } {
  let request: Buffer | null = null;
  const dht = new Dht({
    kuid: randomKuid(random),
    vendor: 'SRVT',
    instance: 1,
    rules: PUBLIC_DHT,
    random: random.fork(),
    endpoint: () => ({ host: '200.1.1.1', port: 6346 }),
    send: bytes => {
      if (bytes[OPCODE_AT] === PING) request = Buffer.from(bytes);
      if (bytes[OPCODE_AT] === FOUND_NODE) onAnswer();
    },
  });
  dht.setMode('active', now);
  const known: DhtContact[] = [];
  for (let i = 0; i < 2_000; i++) {
    const contact = anyContact(random, endpointOf(i));
    request = null;
    dht.receive(encodeDhtMessage({ kind: 'ping', header: headerOf(contact, random.guid()) }), contact.endpoint, now);
    const muid = (request as Buffer | null)?.subarray(0, 16);
    if (muid === undefined) continue;
    const pong = {
      kind: 'pong',
      header: headerOf(contact, muid),
      requester: contact.endpoint,
      networkSize: 1n,
    } as const;
    dht.receive(encodeDhtMessage(pong), contact.endpoint, now);
    known.push(contact);
  }
  return { dht, known };
}

function headerOf(contact: DhtContact, muid: Buffer): DhtHeader {
  return { muid, contact, instance: 1, firewalled: false, leaving: false };
}

/** Microseconds of a FIND_NODE that is answered with twenty contacts. */
function findNodeMicroseconds(): number {
  const random = new SeededRandom(3);
  let answers = 0;
  let now = 1_000_000;
  const { dht, known } = acquainted(random, now, () => answers++);
  const datagrams = known.map(({ kuid, endpoint }) => {
    const header = headerOf(contactOf(kuid, endpoint), random.guid());
    return { from: endpoint, bytes: encodeDhtMessage({ kind: 'findNode', target: randomKuid(random), header }) };
  });
  let began = process.cpuUsage();
  for (let round = 0; round < 150; round++) {
    now += 10_000;
    if (round === 50) {
      answers = 0; // compiled by now
      began = process.cpuUsage();
    }
    for (const { bytes, from } of datagrams) dht.receive(bytes, from, now);
  }
  const { user, system } = process.cpuUsage(began);
  if (answers < 100 * datagrams.length) throw new Error(`${answers} answers to ${100 * datagrams.length}`);
  return (user + system) / answers;
}

export async function run(): Promise<Record<string, unknown>> {
  const live = liveBytes();
  const usOfFindNode = findNodeMicroseconds();
  const valuesBytes = valuesMemory(live);
  const coming = comingAndGoing();

  const internet = new DhtNetwork({ hosts: NODES, random: new SeededRandom(1) });
  const bare = live();
  startWarm(internet, NODES, 250);
  const bytesOfNode = (live() - bare) / NODES;
  internet.run(MINUTE_MS / 2); // each looks its own KUID up at the start
  const before = bytesOfAll(internet);
  internet.run(IDLE_MINUTES * MINUTE_MS);
  const idleBytesPerSecond = (bytesOfAll(internet) - before) / NODES / (60 * IDLE_MINUTES);
  const calm = lookUps(internet, LOOKUPS);
  for (const host of internet.hosts) if (internet.random.chance(0.2)) host.fail();
  const fifthGone = lookUps(internet, LOOKUPS);
  return {
    nodes: NODES,
    hopsMedian: middle(calm.hops),
    hopsMax: calm.hops.at(-1),
    hopsAim: rounded(Math.log2(NODES) / 2 + 2),
    success: calm.success,
    requests: rounded(calm.asked),
    seconds: rounded(calm.ms / 1_000),
    successFifthGone: fifthGone.success,
    secondsFifthGone: rounded(fifthGone.ms / 1_000),
    ...coming,
    idleBytesPerSecond: rounded(idleBytesPerSecond),
    kBOfNode: rounded(bytesOfNode / 1_000),
    mbOfValues: rounded(valuesBytes / 1e6),
    usOfFindNode: rounded(usOfFindNode),
  };
}

/** Half of all sessions are shorter than an hour; half an hour passes before the lookups and goes on during them. */
function comingAndGoing(): Record<string, number> {
  const internet = new DhtNetwork({ hosts: CHURN_NODES, random: new SeededRandom(4) });
  startWarm(internet, CHURN_NODES, 250);
  const churn = new Churn(internet, { medianSessionMs: 60 * MINUTE_MS, awayMs: 5 * MINUTE_MS });
  internet.run(30 * MINUTE_MS);
  const { success, counted, ms } = lookUps(internet, LOOKUPS);
  return {
    churnCounted: counted,
    churnNodes: CHURN_NODES,
    churnLeft: churn.left,
    churnSuccess: success,
    churnSeconds: rounded(ms / 1_000),
  };
}

function middle(sorted: readonly number[]): number {
  return sorted[sorted.length >> 1] ?? 0;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
