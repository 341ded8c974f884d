// The table of all events. The daemon's log, streams and hooks, the documents, and the types of clients are made from it.
import { z } from 'zod';
import { address, bytes, count, id, seconds, time } from './schemas/common.ts';
import { folder } from './schemas/library.ts';
import { peer, query, status } from './schemas/overlay.ts';
import { result, search } from './schemas/searches.ts';
import { configPlan, logLevel, logLine } from './schemas/service.ts';
import { download, upload } from './schemas/transfers.ts';

export const TOPICS = ['peers', 'queries', 'searches', 'downloads', 'uploads', 'library', 'status', 'log'] as const;
export type Topic = (typeof TOPICS)[number];
export const topic = z.enum(TOPICS);

/** Kept in the event log; told to those who listen and not kept; the same, and only the latest one of an object matters. */
export type Retention = 'kept' | 'passing' | 'latest';

export interface EventRow {
  readonly topic: Topic;
  readonly retention: Retention;
  /** Of `data`. */
  readonly schema: z.ZodType;
  /** What has happened. */
  readonly doc: string;
}

const row =
  <R extends Retention>(retention: R) =>
  <T extends Topic, S extends z.ZodType>(topic: T, schema: S, doc: string) => ({ topic, retention, schema, doc });
const kept = row('kept');
const passing = row('passing');
const latest = row('latest');

/** By type. Rare things only are kept: what happens for each descriptor is a counter. */
export const events = {
  'link.opened': kept('peers', peer, 'a neighbour is connected'),
  'link.closed': kept(
    'peers',
    z.object({ id, address, code: count.describe('of the Bye; 0: there was none'), reason: z.string() }),
    'a neighbour is gone; `code` and `reason` are those of the Bye',
  ),
  'query.passed': passing('queries', query, 'a query has passed; a thousand a second at most are told'),
  'query.skipped': passing(
    'queries',
    z.object({ queries: count, seconds }),
    'so many more queries passed in `seconds`',
  ),
  'search.started': kept('searches', search, 'a search of ours has begun'),
  'search.result': kept(
    'searches',
    z.object({ search: id, result }),
    'a new result; the first 500 of a search are told',
  ),
  'search.finished': kept('searches', search, 'a search has ended'),
  'download.added': kept('downloads', download, 'a download was added'),
  'download.changed': kept('downloads', download, 'it is in another state, or has another priority'),
  'download.progress': latest('downloads', download, 'it moves'),
  'download.finished': kept('downloads', download, 'it is complete and verified'),
  'download.failed': kept('downloads', download, 'it has failed'),
  'download.removed': kept('downloads', z.object({ id }), 'it was removed'),
  'upload.started': kept('uploads', upload, 'an upload was asked for'),
  'upload.progress': latest('uploads', upload, 'it moves'),
  'upload.finished': kept('uploads', upload.extend({ total: bytes }), 'it has ended, after `total` bytes'),
  'library.scanned': kept('library', folder, 'a shared folder was scanned'),
  'status.started': kept('status', status, 'the daemon has started'),
  'status.now': latest('status', status, 'told again and again'),
  'status.configured': kept('status', configPlan, 'the configuration has changed'),
  'status.stopping': kept('status', z.object({ uptime: seconds }), 'the daemon is about to stop'),
  'log.line': passing('log', logLine, 'a line was logged; 500 a second at most are told'),
  'log.skipped': passing('log', z.object({ lines: count, seconds }), 'so many more lines were logged in `seconds`'),
} as const satisfies Record<string, EventRow>;

type Events = typeof events;
export type EventType = keyof Events;
export type EventData<T extends EventType> = z.output<Events[T]['schema']>;
export type EventOf<T extends EventType> = {
  [N in T]: {
    /** Counts up, over restarts too; not every number is used. */
    readonly id: number;
    readonly at: string;
    readonly topic: Events[N]['topic'];
    readonly type: N;
    readonly data: EventData<N>;
  };
}[T];
/** One event as streams, webhooks and commands get it; `type` says what `data` is. */
export type ServentEvent = EventOf<EventType>;

export const eventTypes = Object.keys(events) as EventType[];
const isKept = (type: EventType): boolean => events[type].retention === 'kept';
export const keptTypes = eventTypes.filter(isKept);
/** The others have thousands of events in a busy servent. */
export const keptTopics = TOPICS.filter(name => keptTypes.some(type => events[type].topic === name));

/** What all events have, for the documents. */
export const event = z.object({
  id: z.int().min(1).describe('counts up, over restarts too; not every number is used'),
  at: time,
  topic,
  type: z.string().describe('what happened, for example `download.finished`'),
  data: z.unknown().describe('the object it happened to, as its list shows it'),
});

/** `data` of the frame `gap`, which has no topic and is no event. */
export const gap = z.object({
  from: count.describe('the first id that may be missing'),
  to: count.describe('the last one'),
  skipped: count.nullable().describe('how many are missing; null: not known'),
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
        context.addIssue({ code: 'custom', message: `there is no topic ${name}; there are ${TOPICS.join(', ')}` });
        return z.NEVER;
      }
      return names as Topic[];
    })
    .describe(`comma-separated, of ${TOPICS.join(', ')}`),
  interval: z.coerce
    .number()
    .pipe(seconds.min(0.5).max(3600))
    .default(1)
    .describe('seconds between two looks at what moves all the time: progress and status'),
  level: logLevel.default('info').describe('the least important lines of the topic `log`'),
  since: z.coerce
    .number()
    .int()
    .min(0)
    .max(EVENT_ID_MAX)
    .optional()
    .describe('go on after this event, as the header `Last-Event-ID` does; 0: from the oldest that is kept'),
});
export type EventsInput = z.output<typeof eventsQuery>;
