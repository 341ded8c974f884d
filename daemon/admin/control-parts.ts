// Parts of the daemon that the admin API reads and changes.
import type { ConfigPlan } from '../../api/control.ts';
import type { Servent } from '../../protocol/servent.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { LiveSettings } from '../../settings/live.ts';
import type { Clock } from '../clock.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Library } from '../library/library.ts';
import type { Log } from '../log.ts';
import type { Network } from '../network/network.ts';
import type { SearchRegistry } from '../network/search-registry.ts';
import type { History } from '../observation/history.ts';
import type { QueryMonitor } from '../queries/query-monitor.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { Journal } from '../store/journal.ts';
import type { BadContents } from '../transfer/bad-contents.ts';
import type { Batches } from '../transfer/batches.ts';
import type { Downloads } from '../transfer/downloads.ts';
import type { FileServer } from '../transfer/file-server.ts';
import type { KeptBans } from '../transfer/kept-bans.ts';
import type { PastTransfers } from '../transfer/past-transfers.ts';
import type { SavedSearches } from '../transfer/saved-searches.ts';
import type { PastSearch } from '../transfer/transfers.ts';
import type { Health } from './health.ts';
import type { Keys } from './keys.ts';

export interface ControlParts {
  live: LiveSettings;
  /** Reads the configuration again. Rejects with SettingsError. */
  reload: () => Promise<ConfigPlan>;
  startedAt: Date;
  clock: Clock;
  network: Network;
  servent: Servent;
  library: Library;
  searches: SearchRegistry;
  monitor: QueryMonitor;
  downloads: Downloads;
  batches: Batches;
  fileServer: FileServer;
  bans: KeptBans;
  saved: SavedSearches;
  spam: BadContents;
  recordings: Recorder;
  past: PastTransfers;
  pastSearches: Pick<Journal<PastSearch>, 'newestFirst'>;
  gnutella: Endpoint;
  /** Where the API listens. */
  api: Endpoint;
  log: Log;
  keys: Keys;
  history: History;
  hooks: Hooks;
  health: Health;
}
