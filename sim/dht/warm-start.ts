// A DHT as it is after hours: the table of each node holds its neighbours and some of the others, without the messages by which they met.
import { K } from '../../protocol/dht/bucket.ts';
import type { DhtHost } from './dht-host.ts';
import type { DhtNetwork } from './dht-network.ts';

const HOUR_MS = 3_600_000;
/** Nodes on either side in the order of KUIDs, which hold the nearest by XOR. */
const NEIGHBOURS = 1.5 * K;
const RTT_MS = 200;

/** Starts that many hosts, each of which knows `others` nodes besides its neighbours. */
export function startWarm(internet: DhtNetwork, count: number, others: number): void {
  const hosts = Array.from({ length: count }, () => internet.add());
  for (const host of hosts) host.start([]);
  const ordered = hosts.toSorted((a, b) => a.dht.kuid.compare(b.dht.kuid));
  for (const [i, host] of ordered.entries()) {
    for (const other of ordered.slice(Math.max(0, i - NEIGHBOURS), i + NEIGHBOURS)) acquaint(internet, host, other);
    for (let j = 0; j < others; j++) acquaint(internet, host, internet.random.pick(hosts));
    // each bucket has been looked into at some time of the last hour
    for (const bucket of host.dht.parts?.table.buckets() ?? [])
      bucket.refreshedAt = internet.now - internet.random.float() * HOUR_MS;
  }
}

function acquaint({ now, random }: DhtNetwork, host: DhtHost, other: DhtHost): void {
  if (other === host) return;
  const contact = { vendor: 'SRVT', version: 0, kuid: other.dht.kuid, endpoint: other.endpoint };
  const node = host.dht.parts?.table.heard(contact, 1, now, RTT_MS).node;
  if (node != null) node.firstAt = now - random.exponential(HOUR_MS);
}
