// What the servent has learnt of others and keeps over restarts: hosts, caches, and the nodes and values of the DHT.
import type { Bootstrap, KnownCache } from '../../protocol/bootstrap/bootstrap.ts';
import type { HostRecord } from '../../protocol/overlay/neighbours/known-host.ts';
import type { Servent } from '../../protocol/servent.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { readHostsFiles } from '../bootstrap/hosts-file.ts';
import type { DaemonContext } from '../context.ts';
import type { Log } from '../log.ts';
import { DhtStore } from '../store/dht-store.ts';
import { DhtValueStore } from '../store/dht-values.ts';
import type { Table } from '../store/table.ts';
import { TableMirror } from '../store/table-mirror.ts';

/** Pongs bring several changes a second. */
const HOSTS_SAVE_MS = 10_000;
/** After a kill, requests of the last interval may be repeated. */
const CACHES_SAVE_MS = 1_000;

/** Reads the hosts and caches of earlier runs, and hosts files. Rejects with StoreError. */
export async function restoreHosts(context: DaemonContext, { hosts, bootstrap }: Servent): Promise<void> {
  const { settings, store, clock, log, shutdown } = context;
  const kept = new TableMirror<HostRecord>({
    table: store.table('hosts'),
    source: hosts,
    keyOf: formatEndpoint,
    intervalMs: HOSTS_SAVE_MS,
    log: log.child({ mod: 'hosts' }),
  });
  hosts.fromRecords(await kept.start(), clock.wallTime());
  shutdown.add('the host cache', () => kept.stop());
  const bootstrapLog = log.child({ mod: 'bootstrap' });
  const caches = cacheMirror(store.table('caches'), bootstrap, bootstrapLog);
  bootstrap.fromRecords(await caches.start());
  shutdown.add('the known caches', () => caches.stop());
  await readHostsFiles(settings.bootstrap.hostsFiles, bootstrap, clock, bootstrapLog);
}

export function cacheMirror(table: Table<KnownCache>, source: Bootstrap, log: Log): TableMirror<KnownCache> {
  const keyOf = ({ kind, address }: KnownCache): string => `${kind} ${address}`;
  return new TableMirror({ table, source, keyOf, intervalMs: CACHES_SAVE_MS, log });
}

/** Saves from now on which nodes of the DHT are known, and what ours holds for others. */
export function keepDht({ store, clock, log, shutdown }: DaemonContext, { dht }: Servent): void {
  if (dht === null) return;
  const dhtLog = log.child({ mod: 'dht' });
  const nodes = new DhtStore({ table: store.table('dht'), dht, clock, log: dhtLog }).saves;
  nodes.start();
  shutdown.add('the nodes of the DHT', () => nodes.stop());
  const values = new DhtValueStore({ table: store.table('dht-values'), node: dht.node, clock, log: dhtLog }).saves;
  values.start();
  shutdown.add('the values of the DHT', () => values.stop());
}
