// Events as the daemon tells them, one sample of each.
import { type EventData, type EventType, events, eventTypes, type ServentEvent } from '../../api/events.ts';
import { FakeControl } from './fake-control.ts';
import {
  AT,
  aBan,
  aDownload,
  aFolder,
  aLogLine,
  anUpload,
  aPeer,
  aQuery,
  aResult,
  aSearch,
  someLimits,
} from './sample-views.ts';

const aStatus = new FakeControl().status();

export const samples: { readonly [T in EventType]: EventData<T> } = {
  'link.opened': aPeer,
  'link.closed': { id: 'p1', address: aPeer.address, code: 200, reason: 'bye' },
  'query.passed': aQuery,
  'query.skipped': { queries: 1200, seconds: 1 },
  'search.started': aSearch,
  'search.result': { search: 's1', result: aResult },
  'search.finished': { ...aSearch, state: 'finished' },
  'download.added': { ...aDownload, state: 'queued' },
  'download.changed': aDownload,
  'download.progress': aDownload,
  'download.finished': { ...aDownload, state: 'completed' },
  'download.failed': { ...aDownload, state: 'failed', error: 'no sources' },
  'download.removed': { id: 'd1' },
  'ban.started': aBan,
  'ban.lifted': aBan,
  'upload.started': anUpload,
  'upload.progress': anUpload,
  'upload.finished': { ...anUpload, total: 1000 },
  'library.scanned': aFolder,
  'library.hashing': { state: 'hashing', files: 2, hashed: 5, bytes: 1000, rate: 500, eta: 2, current: '/music/a.ogg' },
  'status.started': aStatus,
  'status.now': aStatus,
  'status.configured': { file: null, dryRun: false, changes: [], overruled: [], restart: false },
  'status.budget': someLimits.budget,
  'status.stopping': { uptime: 61.5 },
  'log.line': aLogLine,
  'log.skipped': { lines: 7, seconds: 1 },
};

/** The sample of the type, with other fields where `data` says so. */
export function eventOf<T extends EventType>(type: T, data: Partial<EventData<T>> = {}, id = 1, at = AT): ServentEvent {
  return { id, at, topic: events[type].topic, type, data: { ...samples[type], ...data } } as ServentEvent;
}

export const sampleEvents: readonly ServentEvent[] = eventTypes.map((type, i) => eventOf(type, {}, i + 1));
