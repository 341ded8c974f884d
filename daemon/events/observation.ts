// What parts of the daemon report to, there from the first on: the event log, and reports as events.
import type { Clock } from '../../protocol/ports.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/store.ts';
import { EventLog } from './event-log.ts';
import { EventReports } from './event-reports.ts';

export interface ObservationOptions {
  store: Store;
  clock: Clock;
  log: Log;
}

export class Observation {
  readonly events: EventLog;
  readonly reports: EventReports;
  readonly options: ObservationOptions;

  constructor(options: ObservationOptions) {
    const { store, clock } = options;
    const log = options.log.child({ mod: 'events' });
    this.options = options;
    this.events = new EventLog({ table: store.table('events'), marks: store.table('event-marks'), clock, log });
    this.reports = new EventReports(this.events, clock);
  }

  /** Rejects with StoreError. */
  start(): Promise<void> {
    return this.events.start();
  }

  /** After everything that has something to tell. */
  stop(): Promise<void> {
    return this.events.stop();
  }
}
