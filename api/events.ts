// Table of all events. Event log, streams, hooks, documentation and client types are made from it.
import { z } from 'zod';
import { ban } from './schemas/bans.ts';
import { address, bytes, count, id, seconds, time } from './schemas/common.ts';
import { dhtLookupEnded, dhtSummary } from './schemas/dht.ts';
import { folder, hashing } from './schemas/library.ts';
import { budget } from './schemas/limits.ts';
import { nat } from './schemas/nat.ts';
import { peer, query, status } from './schemas/overlay.ts';
import { recordingNews } from './schemas/recordings.ts';
import { find, savedSearch } from './schemas/saved-searches.ts';
import { result, search } from './schemas/searches.ts';
import { configPlan, logLevel, logLine } from './schemas/service.ts';
import { batchEnd, download, upload } from './schemas/transfers.ts';

export const TOPICS = [
  'peers',
  'queries',
  'searches',
  'downloads',
  'uploads',
  'library',
  'dht',
  'status',
  'log',
] as const;
export type Topic = (typeof TOPICS)[number];
export const topic = z.enum(TOPICS);

/** `kept`: stored in the event log. `passing`: only sent to subscribers. `latest`: like `passing`, but only the latest of each object. */
export type Retention = 'kept' | 'passing' | 'latest';

export interface EventRow {
  readonly topic: Topic;
  readonly retention: Retention;
  /** Schema of `data`. */
  readonly schema: z.ZodType;
  readonly doc: string;
}

const row =
  <R extends Retention>(retention: R) =>
  <T extends Topic, S extends z.ZodType>(topic: T, schema: S, doc: string) => ({ topic, retention, schema, doc });
const kept = row('kept');
const passing = row('passing');
const latest = row('latest');

/** Events by type. Frequent occurrences, such as each descriptor, are counters instead. */
export const events = {
  'link.opened': kept('peers', peer, 'a neighbour connected'),
  'link.closed': kept(
    'peers',
    z.object({ id, address, code: count.describe('code of the Bye; 0: no Bye came'), reason: z.string() }),
    'a neighbour disconnected; `code` and `reason` are those of the Bye',
  ),
  'query.passed': passing('queries', query, 'a query was received; at most 1,000 a second are sent'),
  'query.skipped': passing(
    'queries',
    z.object({ queries: count, seconds }),
    'number of further queries received in `seconds`',
  ),
  'search.started': kept('searches', search, 'a search of this servent started'),
  'search.result': kept(
    'searches',
    z.object({ search: id, result }),
    'a new result; sent for the first 500 of a search',
  ),
  'search.finished': kept('searches', search, 'a search ended'),
  'saved.changed': kept('searches', savedSearch, 'a saved search was added, changed, or has run'),
  'saved.removed': kept('searches', z.object({ id }), 'a saved search was removed'),
  'saved.found': kept(
    'searches',
    z.object({ saved: savedSearch, find }),
    'a saved search found something new; at most 100 of a run are told',
  ),
  'download.added': kept('downloads', download, 'a download was added'),
  'download.changed': kept(
    'downloads',
    download,
    'a download has a new state, priority, position, category, name or error',
  ),
  'download.progress': latest('downloads', download, 'it moves'),
  'download.finished': kept('downloads', download, 'a download is complete and verified'),
  'download.failed': kept('downloads', download, 'a download failed'),
  'download.removed': kept('downloads', z.object({ id }), 'a download was removed'),
  'batch.finished': kept(
    'downloads',
    batchEnd,
    'all downloads of a batch are complete or failed; told again when one that failed was tried again',
  ),
  'upload.started': kept('uploads', upload, 'an upload was requested'),
  'upload.progress': latest('uploads', upload, 'it moves'),
  'upload.finished': kept('uploads', upload.extend({ total: bytes }), 'an upload ended after `total` bytes'),
  'ban.started': kept('uploads', ban, 'an address was banned from uploads'),
  'ban.lifted': kept('uploads', ban, 'a ban was lifted before its end'),
  'library.scanned': kept('library', folder, 'a shared folder was scanned'),
  'library.hashing': latest('library', hashing, 'progress of scans and hashing, or their end'),
  'dht.changed': kept('dht', dhtSummary, 'the node of the DHT has another mode or state'),
  'dht.lookup': passing('dht', dhtLookupEnded, 'a lookup in the DHT ended'),
  'status.started': kept('status', status, 'the daemon started'),
  'status.now': latest('status', status, 'state of the servent, sent periodically'),
  'status.configured': kept('status', configPlan, 'the configuration changed'),
  'status.nat': kept(
    'status',
    nat,
    'the router forwards our port, or does so no longer; the port, the interface or the proxy has changed',
  ),
  'status.budget': kept(
    'status',
    budget,
    'the monthly budget slows transfers down, stops them, or lets them run again',
  ),
  'status.recording': kept(
    'status',
    recordingNews,
    'a recording cannot be written or sent, can again, or lost its oldest segment to make room',
  ),
  'status.stopping': kept('status', z.object({ uptime: seconds }), 'the daemon is about to stop'),
  'log.line': passing('log', logLine, 'a line was logged; at most 500 a second are sent'),
  'log.skipped': passing('log', z.object({ lines: count, seconds }), 'number of further lines logged in `seconds`'),
} as const satisfies Record<string, EventRow>;

type Events = typeof events;
export type EventType = keyof Events;
export type EventData<T extends EventType> = z.output<Events[T]['schema']>;
export type EventOf<T extends EventType> = {
  [N in T]: {
    /** Increases, also across restarts; numbers may be skipped. */
    readonly id: number;
    readonly at: string;
    readonly topic: Events[N]['topic'];
    readonly type: N;
    readonly data: EventData<N>;
  };
}[T];
/** Event as streams, webhooks and commands get it; `type` determines the schema of `data`. */
export type ServentEvent = EventOf<EventType>;

export const eventTypes = Object.keys(events) as EventType[];
const isKept = (type: EventType): boolean => events[type].retention === 'kept';
export const keptTypes = eventTypes.filter(isKept);
/** Topics with kept events. */
export const keptTopics = TOPICS.filter(name => keptTypes.some(type => events[type].topic === name));

/** Fields of every event, for the documentation. */
export const event = z.object({
  id: z.int().min(1).describe('increases, also across restarts; numbers may be skipped'),
  at: time,
  topic,
  type: z.string().describe('for example `download.finished`'),
  data: z.unknown().describe('the object concerned, as in its list'),
});

/** `data` of the frame `gap`, which is not an event. */
export const gap = z.object({
  from: count.describe('the first id that may be missing'),
  to: count.describe('the last id that may be missing'),
  skipped: count.nullable().describe('number of missing events; null: unknown'),
  reason: z.enum(['slow', 'forgotten', 'unknown', 'unreadable']),
});
export type EventGap = z.output<typeof gap>;

const EVENT_ID_MAX = Number.MAX_SAFE_INTEGER;
const TOPICS_CHARACTERS_MAX = 200;

export const eventsQuery = z.strictObject({
  topics: z
    .string()
    .min(1)
    .max(TOPICS_CHARACTERS_MAX)
    .default(keptTopics.join(','))
    .transform((text, context) => {
      const names = [...new Set(text.split(',').map(name => name.trim()))];
      for (const name of names) {
        if (topic.safeParse(name).success) continue;
        context.addIssue({ code: 'custom', message: `unknown topic ${name}; topics are ${TOPICS.join(', ')}` });
        return z.NEVER;
      }
      return names as Topic[];
    })
    .describe(`comma-separated, of ${TOPICS.join(', ')}`),
  interval: z.coerce
    .number()
    .pipe(seconds.min(0.5).max(3600))
    .default(1)
    .describe('seconds between two events of progress and status'),
  level: logLevel.default('info').describe('lowest level of lines of the topic `log`'),
  since: z.coerce
    .number()
    .int()
    .min(0)
    .max(EVENT_ID_MAX)
    .optional()
    .describe('start after this event id, like the header `Last-Event-ID`; 0: from the oldest kept event'),
});
export type EventsInput = z.output<typeof eventsQuery>;
