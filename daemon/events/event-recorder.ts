// Holds the event log and the callbacks through which parts of the daemon report events.
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/store.ts';
import { EventLog } from './event-log.ts';

export interface EventRecorderOptions {
  store: Store;
  clock: Clock;
  log: Log;
}

export class EventRecorder {
  readonly events: EventLog;
  readonly options: EventRecorderOptions;

  constructor(options: EventRecorderOptions) {
    const { store, clock } = options;
    const log = options.log.child({ mod: 'events' });
    this.options = options;
    this.events = new EventLog({ table: store.table('events'), marks: store.table('event-marks'), clock, log });
  }

  /** Rejects with StoreError. */
  start(): Promise<void> {
    return this.events.start();
  }

  /** Call after all parts that report events have stopped. */
  stop(): Promise<void> {
    return this.events.stop();
  }
}
