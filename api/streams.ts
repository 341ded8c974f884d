// Table of endpoints whose answer is not one JSON document: events, bytes of a download, export of queries, metrics.
import { Readable } from 'node:stream';
import type { Context } from 'koa';
import type Router from 'koa-router';
import type { z } from 'zod';
import type { ById } from './control.ts';
import type { ContentReaders } from './download-content.ts';
import type { Scope } from './endpoint.ts';
import { ApiError } from './errors.ts';
import type { EventStreams, StreamListener } from './event-stream.ts';
import { type EventsInput, eventsQuery } from './events.ts';
import { checkedInput } from './input.ts';
import { byId } from './schemas/common.ts';
import { type ExportInput, exportQuery } from './schemas/monitor.ts';
import { type ContentInput, contentQuery } from './schemas/transfers.ts';

export interface StreamRow {
  readonly path: string;
  readonly doc: string;
  readonly scope: Scope;
  readonly tag: string;
  readonly params: z.ZodType | null;
  readonly query: z.ZodType | null;
  /** Content-Type of the answer. */
  readonly type: string;
  /** A `Range` gets 206. */
  readonly ranges?: true;
}

export const streams = {
  events: {
    path: '/api/v1/events',
    doc: 'Events as server-sent events; `Last-Event-ID` resumes. A frame `gap` has the ids of events that could not be delivered.',
    scope: 'read',
    tag: 'events',
    params: null,
    query: eventsQuery,
    type: 'text/event-stream',
  },
  content: {
    path: '/api/v1/downloads/:id/content',
    doc: 'The bytes of a download, while it runs too: those that its hash tree has verified, and all of a completed file. With `Range`: 206, or 416 with `X-Available-Ranges`. What is read is fetched first, in order.',
    scope: 'operate',
    tag: 'downloads',
    params: byId,
    query: contentQuery,
    type: '*/*',
    ranges: true,
  },
  exportQueries: {
    path: '/api/v1/queries/export',
    doc: 'The stored queries, oldest first, one JSON object per line.',
    scope: 'read',
    tag: 'queries',
    params: null,
    query: exportQuery,
    type: 'application/x-ndjson',
  },
  metrics: {
    path: '/metrics',
    doc: 'Metrics for Prometheus; docs/metrics.md lists them.',
    scope: 'read',
    tag: 'service',
    params: null,
    query: null,
    type: 'text/plain',
  },
} as const satisfies Record<string, StreamRow>;

export type StreamName = keyof typeof streams;
export const streamNames = Object.keys(streams) as StreamName[];

/** Sources of the streams, implemented by the daemon. */
export interface StreamSources {
  events: EventStreams;
  content: Pick<ContentReaders, 'answer'>;
  /** Lines, each with its newline. */
  exportQueries(input: ExportInput): Iterable<string>;
  metrics(): Promise<{ type: string; text: string }>;
}

/** Adds the streams to the router. `authorize` returns the caller or throws ApiError. */
export function mountStreams(
  router: Router,
  sources: StreamSources,
  authorize: (ctx: Context, scope: Scope) => StreamListener,
): void {
  const answers: Record<StreamName, (ctx: Context, input: unknown, caller: StreamListener) => void | Promise<void>> = {
    events: (ctx, input, caller) => {
      if (ctx.method === 'HEAD') {
        ctx.type = streams.events.type;
        ctx.body = '';
        return;
      }
      sources.events.open(ctx.res, input as EventsInput, lastEventId(ctx), caller);
      ctx.respond = false; // koa leaves the response alone
    },
    content: (ctx, input, caller) => {
      const { id, wait } = input as ById & ContentInput;
      return sources.content.answer(ctx, id, wait, caller);
    },
    exportQueries: (ctx, input) => {
      ctx.type = streams.exportQueries.type;
      ctx.set('Cache-Control', 'no-store');
      ctx.body = Readable.from(sources.exportQueries(input as ExportInput));
    },
    metrics: async ctx => {
      const { type, text } = await sources.metrics();
      ctx.set('Content-Type', type);
      ctx.set('Cache-Control', 'no-store');
      ctx.body = text;
    },
  };
  for (const name of streamNames) {
    const { path, scope, params, query } = streams[name] as StreamRow;
    router.get(path, async ctx => {
      const caller = authorize(ctx, scope);
      const given = { params: ctx.params as unknown, query: ctx.query, body: {} };
      await answers[name](ctx, checkedInput({ params, query, body: null }, given), caller);
    });
  }
}

/** Reads the Last-Event-ID header that browsers send when they reconnect. */
function lastEventId(ctx: Context): number | null {
  const text = ctx.get('Last-Event-ID');
  if (text === '') return null;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new ApiError('INVALID', 'Last-Event-ID: expected the id of an event');
}
