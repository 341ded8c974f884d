// The node of the DHT as the API shows it.
import type { DhtContactView, DhtSummary, DhtView } from '../../api/control.ts';
import { formatDuration } from '../../api/format.ts';
import type { Bucket } from '../../protocol/dht/bucket.ts';
import type { DhtModeCause } from '../../protocol/dht/dht-mode.ts';
import type { KnownNode, NodeState } from '../../protocol/dht/known-node.ts';
import { commonBits, formatKuid } from '../../protocol/dht/kuid.ts';
import type { ServentDht } from '../../protocol/servent-dht.ts';
import type { DhtStanding } from '../../protocol/servent-dht-parts.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import type { Clock } from '../clock.ts';

export function dhtView(dht: ServentDht, now: number): DhtView {
  const { state, node } = dht;
  const { mode, kuid, parts, networkSize, counters } = node;
  const buckets = bucketRows(parts?.table.buckets() ?? [], kuid);
  const total = (list: NodeState): number => buckets.reduce((sum, row) => sum + row[list], 0);
  return {
    mode,
    kuid: formatKuid(kuid),
    state,
    why: causeText(dht, now),
    contacts: { good: total('good'), stale: total('stale'), pending: total('pending') },
    buckets,
    values: parts?.values.size ?? 0,
    publishing: parts?.publisher.size ?? 0,
    size: parts === null ? 0 : shownSize(networkSize, parts.table.goodNodes),
    traffic: { in: counters.bytesIn, out: counters.bytesOut },
  };
}

/** In the status, and in events. */
export function dhtSummary(dht: DhtStanding | null, now: number): DhtSummary {
  if (dht === null) return { mode: 'off', state: 'off', why: 'this servent has no DHT', nodes: 0, values: 0, size: 0 };
  const { mode, parts, networkSize } = dht.node;
  return {
    mode,
    state: dht.state,
    why: causeText(dht, now),
    nodes: parts?.table.goodNodes ?? 0,
    values: parts?.values.size ?? 0,
    size: parts === null ? 0 : shownSize(networkSize, parts.table.goodNodes),
  };
}

/** The estimate, or at least the nodes that are known, and us: an estimate of few nodes is often too low. */
function shownSize(estimate: number, goodNodes: number): number {
  return Math.max(Math.round(estimate), goodNodes + 1);
}

/** Buckets in which all KUIDs share the same number of bits with ours are one row. */
function bucketRows(buckets: readonly Bucket[], own: Buffer): DhtView['buckets'] {
  const rows = new Map<number, DhtView['buckets'][number]>();
  for (const { prefix, depth, good, stale, pending } of buckets) {
    const bits = Math.min(depth, commonBits(prefix, own));
    const row = rows.get(bits) ?? { bits, buckets: 0, good: 0, stale: 0, pending: 0 };
    row.buckets++;
    row.good += good.length;
    row.stale += stale.length;
    row.pending += pending.length;
    rows.set(bits, row);
  }
  return [...rows.values()].sort((a, b) => a.bits - b.bits);
}

export function dhtContactView(node: KnownNode, clock: Clock): DhtContactView {
  const { kuid, endpoint, vendor, state, rttMs, proven, seenAt } = node;
  return {
    kuid: formatKuid(kuid),
    address: formatEndpoint(endpoint),
    vendor,
    state,
    rtt: proven ? rttMs / 1000 : null,
    seenAt: new Date(clock.wallTime() - (clock.now() - seenAt)).toISOString(),
  };
}

/** Why the node does not answer requests; null: it does. */
export function causeText(dht: DhtStanding, now: number): string | null {
  const { node, cause } = dht;
  return cause === null ? null : CAUSES[cause](node.mode, dht.activeInMs(now));
}

const CAUSES: Readonly<Record<DhtModeCause, (mode: string, activeInMs: number) => string>> = {
  setting: mode => `dht.mode is ${mode}`,
  udp: () => 'no datagrams can be sent or received',
  address: () => 'no IPv4 address of this servent is known yet',
  scope: () => 'the known address of this servent is one that nodes of this network do not reach',
  firewalled: () => 'datagrams of others do not reach the port',
  unproven: () => 'it is not known yet whether datagrams of others reach the port',
  new: (_, ms) =>
    `a node answers others once it has been up for long enough: in ${formatDuration(Math.ceil(ms / 1_000))}`,
};
