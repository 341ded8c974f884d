// Trials of a simulated DHT: many lookups at the same time, and how many of them end where they should.
import { kuidKey, randomKuid } from '../../protocol/dht/kuid.ts';
import type { DhtNetwork } from './dht-network.ts';

export interface Outcome {
  /** Lookups that success is a share of. */
  readonly counted: number;
  /** Sorted. */
  readonly hops: readonly number[];
  /** Requests of one, and its milliseconds, in the mean. */
  readonly asked: number;
  readonly ms: number;
  readonly success: number;
}

/** Lookups of random targets; one succeeds when it ends with the node that is truly nearest. Without those whose asker or nearest node leaves meanwhile, also when another one came in its place. */
export function lookUps(internet: DhtNetwork, count: number): Outcome {
  const quests = Array.from({ length: count }, () => {
    const host = internet.anyUp();
    if (host === null) throw new Error('nobody is up');
    return { host, node: host.dht, target: randomKuid(internet.random), type: null };
  });
  const nearest = quests.map(({ host, target }) => internet.trulyNearest(target, 1, host)[0]);
  const hops: number[] = [];
  let [right, asked, ms, counted] = [0, 0, 0, 0];
  const results = internet.lookUpAll(quests);
  const up = new Set(internet.hosts.filter(({ isUp }) => isUp).map(({ dht }) => kuidKey(dht.kuid)));
  for (const [i, { host, node }] of quests.entries()) {
    const wanted = nearest[i];
    const result = results[i] ?? null;
    if (wanted === undefined || !up.has(kuidKey(wanted)) || !host.isUp || host.dht !== node) continue;
    counted++;
    if (result === null) continue;
    hops.push(result.hops);
    asked += result.asked;
    ms += result.ms;
    if (result.nearest.some(({ contact }) => contact.kuid.equals(wanted))) right++;
  }
  hops.sort((a, b) => a - b);
  return { hops, counted, asked: asked / hops.length, ms: ms / hops.length, success: right / counted };
}

/** Bytes of all nodes, in and out, those that have left among them. */
export function bytesOfAll(internet: DhtNetwork): number {
  return internet.hosts.reduce((sum, { bytes }) => sum + bytes, 0);
}
