// The DHT while half of its nodes change within an hour: lookups, hops, load, and how many values are still found, with and without their
// creators. The same nodes at rest for comparison.

import { randomKuid } from '../protocol/dht/kuid.ts';
import { Churn } from '../sim/dht/churn.ts';
import type { DhtHost } from '../sim/dht/dht-host.ts';
import { DhtNetwork } from '../sim/dht/dht-network.ts';
import { bytesOfAll, lookUps } from '../sim/dht/trials.ts';
import { startWarm } from '../sim/dht/warm-start.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

export const about = 'dht-churn: lookups and values in 500 nodes of which half change within an hour';

const NODES = Number(process.env['NODES'] ?? 500);
const SEED = 1;
const LOOKUPS = 300;
const VALUES = 300;
const MINUTE_MS = 60_000;
const OTHERS_KNOWN = 250;
const TYPE = 'ALOC';

interface Published {
  readonly key: Buffer;
  readonly creator: DhtHost;
  /** Of the node that has published: another one comes in its place. */
  readonly kuid: Buffer;
}

function publish(internet: DhtNetwork): Published[] {
  return Array.from({ length: VALUES }, () => {
    const creator = someHost(internet);
    const key = randomKuid(internet.random);
    creator.dht.publish({ key, type: TYPE, version: 1, data: Buffer.from('here') }, internet.now);
    creator.wake();
    return { key, creator, kuid: creator.dht.kuid };
  });
}

function someHost(internet: DhtNetwork): DhtHost {
  const host = internet.anyUp();
  if (host === null) throw new Error('nobody is up');
  return host;
}

/** Share of the values that are found, of those whose creators are there still and of the others. */
function find(
  internet: DhtNetwork,
  values: readonly Published[],
): { withCreator: number; without: number; gone: number } {
  const stays = values.map(({ creator, kuid }) => creator.isUp && creator.dht.kuid.equals(kuid));
  const quests = values.map(({ key }) => ({ host: someHost(internet), target: key, type: TYPE }));
  const found = internet.lookUpAll(quests).map(result => (result?.values.length ?? 0) > 0);
  const share = (wanted: boolean): number => {
    const some = found.filter((_, i) => stays[i] === wanted);
    return some.length === 0 ? 1 : rounded(some.filter(Boolean).length / some.length, 1_000);
  };
  return { withCreator: share(true), without: share(false), gone: stays.filter(stay => !stay).length };
}

export async function run(): Promise<Record<string, unknown>> {
  const began = process.cpuUsage();
  const internet = new DhtNetwork({ hosts: NODES, random: new SeededRandom(SEED) });
  startWarm(internet, NODES, OTHERS_KNOWN);
  internet.run(MINUTE_MS / 2); // each looks its own KUID up at the start
  let before = bytesOfAll(internet);
  internet.run(5 * MINUTE_MS);
  const idle = (bytesOfAll(internet) - before) / NODES / 300;
  const calm = lookUps(internet, LOOKUPS);
  const values = publish(internet);
  internet.run(2 * MINUTE_MS);
  const churn = new Churn(internet, { medianSessionMs: 60 * MINUTE_MS, awayMs: 5 * MINUTE_MS });
  internet.run(48 * MINUTE_MS);
  const beforeExpiry = find(internet, values);
  internet.run(5 * MINUTE_MS);
  const busy = lookUps(internet, LOOKUPS);
  before = bytesOfAll(internet);
  const messages = internet.network.messages;
  internet.run(5 * MINUTE_MS);
  const sent = (internet.network.messages - messages) / NODES / 300;
  const load = (bytesOfAll(internet) - before) / NODES / 300;
  internet.run(5 * MINUTE_MS);
  const afterExpiry = find(internet, values);
  const { user, system } = process.cpuUsage(began);
  return {
    nodes: NODES,
    seed: SEED,
    left: churn.left,
    came: churn.came,
    idleBytesPerSecond: rounded(idle),
    churnBytesPerSecond: rounded(load),
    churnMessagesPerSecond: rounded(sent, 100),
    ...figures('calm', calm),
    ...figures('churn', busy),
    foundAt50: beforeExpiry,
    foundAt65: afterExpiry,
    messages: internet.network.messages,
    processorSeconds: rounded((user + system) / 1e6),
    mb: Math.round(process.memoryUsage().rss / 1e6),
  };
}

function figures(name: string, { hops, asked, ms, success, counted }: ReturnType<typeof lookUps>): object {
  return {
    [`${name}Success`]: rounded(success, 1_000),
    [`${name}Counted`]: counted,
    [`${name}HopsMean`]: rounded(hops.reduce((sum, each) => sum + each, 0) / hops.length, 100),
    [`${name}HopsMax`]: hops.at(-1),
    [`${name}Requests`]: rounded(asked),
    [`${name}Seconds`]: rounded(ms / 1_000),
  };
}

function rounded(value: number, parts = 10): number {
  return Math.round(value * parts) / parts;
}
