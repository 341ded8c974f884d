// Events as the daemon tells them, one sample of each.
import { type EventData, type EventType, events, eventTypes, type ServentEvent } from '../../api/events.ts';
import { FakeControl } from './fake-control.ts';
import {
  AT,
  aBan,
  aDownload,
  aFind,
  aFolder,
  aLogLine,
  anUpload,
  aPeer,
  aQuery,
  aResult,
  aSavedSearch,
  aSearch,
  someLimits,
  someNat,
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
  'batch.finished': { id: 'b1', name: 'Moons', path: '/srv/Moons', completed: 9, failed: 1, bytes: 1000 },
  'saved.changed': aSavedSearch,
  'saved.removed': { id: 'w1' },
  'saved.found': { saved: aSavedSearch, find: aFind },
  'ban.started': aBan,
  'ban.lifted': aBan,
  'upload.started': anUpload,
  'upload.progress': anUpload,
  'upload.finished': { ...anUpload, total: 1000 },
  'library.scanned': aFolder,
  'library.hashing': { state: 'hashing', files: 2, hashed: 5, bytes: 1000, rate: 500, eta: 2, current: '/music/a.ogg' },
  'dht.changed': { mode: 'active', state: 'ready', why: null, nodes: 31, values: 5, size: 1_200 },
  'dht.lookup': {
    kind: 'value',
    target: 'a1b2c3d4e5f60718293a4b5c6d7e8f9001122330',
    end: 'found',
    hops: 2,
    asked: 7,
    values: 1,
    seconds: 0.4,
  },
  'status.started': aStatus,
  'status.now': aStatus,
  'status.configured': { file: null, dryRun: false, changes: [], overruled: [], restart: false },
  'status.nat': someNat,
  'status.budget': someLimits.budget,
  'status.recording': { state: 'working', text: 'recording works again' },
  'status.stopping': { uptime: 61.5 },
  'log.line': aLogLine,
  'log.skipped': { lines: 7, seconds: 1 },
};

/** The sample of the type, with other fields where `data` says so. */
export function eventOf<T extends EventType>(type: T, data: Partial<EventData<T>> = {}, id = 1, at = AT): ServentEvent {
  return { id, at, topic: events[type].topic, type, data: { ...samples[type], ...data } } as ServentEvent;
}

export const sampleEvents: readonly ServentEvent[] = eventTypes.map((type, i) => eventOf(type, {}, i + 1));
