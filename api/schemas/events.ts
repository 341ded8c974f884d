// What happens in the daemon, as a stream: topics, one event, and how a stream is asked for.
import { z } from 'zod';
import { seconds, time } from './common.ts';
import { logLevel } from './service.ts';

export const TOPICS = ['peers', 'queries', 'searches', 'downloads', 'uploads', 'library', 'status', 'log'] as const;
export const topic = z.enum(TOPICS);

/** Of each line of a stream, of a webhook's body, and of what a command reads. */
export const event = z.object({
  id: z.int().min(1).describe('counts up, over restarts too; not every number is used'),
  at: time,
  topic,
  type: z.string().describe('what happened, for example `download.finished`'),
  data: z.unknown().describe('the object it happened to, as its list shows it'),
});

const EVENT_ID_MAX = Number.MAX_SAFE_INTEGER;
const TOPICS_CHARACTERS_MAX = 200;

/** All but what a busy servent has thousands of. */
const DEFAULT_TOPICS = TOPICS.filter(name => name !== 'queries' && name !== 'log').join(',');

export const eventsQuery = z.strictObject({
  topics: z
    .string()
    .min(1)
    .max(TOPICS_CHARACTERS_MAX)
    .default(DEFAULT_TOPICS)
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

/** What an event `gap` says. */
export interface EventGap {
  /** The first and the last id that may be missing. */
  from: number;
  to: number;
  /** null: not known. */
  skipped: number | null;
  reason: 'slow' | 'forgotten' | 'unknown' | 'unreadable';
}

export type Topic = z.infer<typeof topic>;
export type EventView = z.infer<typeof event>;
export type EventsInput = z.output<typeof eventsQuery>;

/** What is told, for the documentation; daemon/observation/events.ts has the types. */
export const eventKinds: readonly (readonly [topic: Topic, type: string, data: string])[] = [
  ['peers', 'link.opened', 'the peer'],
  ['peers', 'link.closed', '`id`, `address`, `code` and `reason` of the Bye'],
  ['log', 'log.line', 'the line'],
  ['log', 'log.skipped', 'how many `lines` more there were in `seconds`'],
  ['queries', 'query.passed', 'the query; a thousand a second at most'],
  ['queries', 'query.skipped', 'how many `queries` more there were in `seconds`'],
  ['searches', 'search.started', 'the search'],
  ['searches', 'search.result', 'the id of the `search` and a new `result`; the first 500 of a search'],
  ['searches', 'search.finished', 'the search'],
  ['downloads', 'download.added', 'the download'],
  ['downloads', 'download.changed', 'the download, in another state or with another priority'],
  ['downloads', 'download.progress', 'the download, while it moves'],
  ['downloads', 'download.finished', 'the download'],
  ['downloads', 'download.failed', 'the download'],
  ['downloads', 'download.removed', 'its `id`'],
  ['uploads', 'upload.started', 'the upload'],
  ['uploads', 'upload.progress', 'the upload, while it moves'],
  ['uploads', 'upload.finished', 'the upload, with `total` bytes sent'],
  ['library', 'library.scanned', 'the folder'],
  ['status', 'status.started', 'the status'],
  ['status', 'status.now', 'the status, again and again'],
  ['status', 'status.configured', 'the plan of a change of configuration'],
  ['status', 'status.stopping', 'the `uptime`'],
];
