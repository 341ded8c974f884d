// What a metric is, and what the values of metrics are read from.

import type { ApiCounters } from '../../api/app.ts';
import type { StreamCounters } from '../../api/event-stream.ts';
import type { Servent } from '../../protocol/servent.ts';
import type { EventLog } from '../events/event-log.ts';
import type { HookCounters } from '../hooks/hooks.ts';
import type { Library } from '../library/library.ts';
import type { Log } from '../log.ts';
import type { Network } from '../network/network.ts';
import type { SearchRegistry } from '../network/search-registry.ts';
import type { QueryMonitor } from '../queries/query-monitor.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { BadContents } from '../transfer/bad-contents.ts';
import type { Downloads } from '../transfer/downloads.ts';
import type { FileServer } from '../transfer/file-server.ts';
import type { KeptBans } from '../transfer/kept-bans.ts';
import type { PastTransfers } from '../transfer/past-transfers.ts';
import type { SavedSearches } from '../transfer/saved-searches.ts';

export interface MetricParts {
  servent: Servent;
  network: Network;
  library: Library;
  searches: SearchRegistry;
  monitor: QueryMonitor;
  downloads: Downloads;
  fileServer: FileServer;
  bans: Pick<KeptBans, 'running'>;
  saved: Pick<SavedSearches, 'size' | 'counts'>;
  spam: Pick<BadContents, 'size'>;
  recordings: Pick<Recorder, 'counts' | 'trouble'>;
  past: PastTransfers;
  events: EventLog;
  log: Log;
  streams: { readonly counters: Readonly<StreamCounters> };
  hooks: { readonly counters: Readonly<HookCounters> };
  api: Readonly<ApiCounters>;
  /** Wall clock, milliseconds. */
  startedAt: number;
  version: string;
  mode: () => string;
}

export type Values = number | Iterable<readonly [labelValue: string, value: number]>;

export interface Metric {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  /** Label that distinguishes several values. Every label has a bounded set of values. */
  readonly label?: string;
  readonly read: (parts: MetricParts) => Values;
}

export const counter = (name: string, help: string, read: Metric['read'], label?: string): Metric =>
  label === undefined ? { name, kind: 'counter', help, read } : { name, kind: 'counter', help, read, label };
export const gauge = (name: string, help: string, read: Metric['read'], label?: string): Metric =>
  label === undefined ? { name, kind: 'gauge', help, read } : { name, kind: 'gauge', help, read, label };

export const entries = (record: Readonly<Partial<Record<string, number>>>): [string, number][] =>
  Object.entries(record).map(([name, value]) => [name, value ?? 0]);
