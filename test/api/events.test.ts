// The table of events: what is told is what it says, and a client that is compiled against it learns of every change.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  type EventData,
  type EventOf,
  type EventType,
  events,
  eventsQuery,
  eventTypes,
  keptTopics,
  keptTypes,
  type ServentEvent,
} from '../../api/events.ts';
import { openApiDocument } from '../../api/openapi.ts';
import type { EventLog } from '../../daemon/events/event-log.ts';
import { hookConfigOf } from '../../settings/hook-config.ts';
import { ApiContract } from '../support/api-contract.ts';
import { projectRoot } from '../support/fixtures.ts';
import { eventOf, sampleEvents, samples } from '../support/sample-events.ts';

/** Compiled and never called: each line marked as an error is one, or this file does not compile. */
export function whatDoesNotCompile(log: EventLog, event: ServentEvent): string {
  log.tell('download.removed', { id: 'd1' });
  // @ts-expect-error an event that is not in the table
  log.tell('download.vanished', { id: 'd1' });
  // @ts-expect-error data of another event
  log.tell('download.removed', { uptime: 7 });
  // @ts-expect-error a field is missing
  log.tell('link.closed', { id: 'p1', address: '127.0.0.1:1', code: 200 });
  switch (event.type) {
    case 'link.closed':
      // @ts-expect-error a field that the event does not have
      return event.data.cause;
    case 'download.added':
      // @ts-expect-error the topic follows from the type
      return event.topic === 'peers' ? '' : event.data.name;
    // @ts-expect-error a type that is not in the table
    case 'download.vanished':
      return '';
    default:
      // @ts-expect-error a client that must know all events has forgotten some
      event satisfies never;
      return '';
  }
}

/** What a client makes of each event; it does not compile when one comes, goes, or has other data. */
const textOf: { [T in EventType]: (data: EventData<T>) => string } = {
  'link.opened': ({ address, userAgent }) => `${address} ${userAgent ?? ''}`,
  'link.closed': ({ address, code, reason }) => `${address} ${code} ${reason}`,
  'query.passed': ({ text, urns }) => [text, ...urns].join(' '),
  'query.skipped': ({ queries, seconds }) => `${queries} in ${seconds}`,
  'search.started': ({ text }) => text ?? '',
  'search.result': ({ search, result }) => `${search} ${result.name}`,
  'search.finished': ({ results }) => String(results),
  'download.added': ({ name }) => name,
  'download.changed': ({ state }) => state,
  'download.progress': ({ done, size }) => `${done} of ${size ?? '?'}`,
  'download.finished': ({ path }) => path ?? '',
  'download.failed': ({ error }) => error ?? '',
  'download.removed': ({ id }) => id,
  'saved.changed': ({ state }) => state,
  'saved.removed': ({ id }) => id,
  'saved.found': ({ find }) => find.name,
  'ban.started': ({ text }) => text,
  'ban.lifted': ({ address }) => address,
  'batch.finished': ({ name, completed, failed }) => `${name} ${completed} ${failed}`,
  'upload.started': ({ name }) => name,
  'upload.progress': ({ sent }) => String(sent),
  'upload.finished': ({ total }) => String(total),
  'library.scanned': ({ path, files }) => `${path} ${files}`,
  'library.hashing': ({ files, state }) => `${state} ${files}`,
  'dht.changed': ({ mode, state }) => `${mode} ${state}`,
  'dht.lookup': ({ kind, end }) => `${kind} ${end}`,
  'status.started': ({ version }) => version,
  'status.now': ({ uptime }) => String(uptime),
  'status.configured': ({ changes }) => String(changes.length),
  'status.nat': ({ state }) => state,
  'status.budget': ({ state }) => state,
  'status.recording': ({ text }) => text,
  'status.stopping': ({ uptime }) => String(uptime),
  'log.line': ({ message }) => message,
  'log.skipped': ({ lines }) => String(lines),
};

t.test('a client finds in each event what its type promises', async t => {
  const read = <T extends EventType>({ type, data }: EventOf<T>): string => textOf[type](data);
  for (const event of sampleEvents) t.notMatch(read(event), /undefined/, event.type);
  t.equal(sampleEvents.length, eventTypes.length);
});

t.test('each event is as the OpenAPI document says, and an event with other data is not', async t => {
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/event' } } };
  const contract = new ApiContract(openApiDocument('1.0.0'));
  const operation = {
    id: 'event',
    method: 'POST',
    path: '',
    parameters: [],
    body: null,
    responses: { 200: { content } },
  };
  const faultOf = (event: object) =>
    contract.fault(operation, {
      status: 200,
      headers: { 'content-type': 'application/json' },
      text: JSON.stringify(event),
    });
  for (const event of sampleEvents) t.equal(faultOf(event), null, event.type);
  t.ok(faultOf({ ...eventOf('download.removed'), data: {} }));
  t.ok(faultOf({ ...eventOf('download.removed'), topic: 'peers' }));
  t.ok(faultOf({ ...eventOf('download.removed'), type: 'download.vanished' }));
  t.ok(faultOf({ ...eventOf('link.closed'), data: samples['download.removed'] }));
});

t.test('streams and hooks take the topics and types of the table', async t => {
  t.strictSame(eventsQuery.parse({}).topics, keptTopics);
  t.strictSame(keptTopics, ['peers', 'searches', 'downloads', 'uploads', 'library', 'dht', 'status']);
  const hook = (more: object) => hookConfigOf({ name: 'h', url: 'http://127.0.0.1:1/', ...more }) !== null;
  for (const type of eventTypes) t.equal(hook({ types: [type] }), keptTypes.includes(type), type);
  t.notOk(hook({ types: ['download.finish'] }), 'a type that nobody ever tells is not waited for');
  t.notOk(hook({ topics: ['queries'] }), 'what passes cannot be delivered again');
});

t.test('the recipes name no event that there is not', async t => {
  const groups = [...new Set(eventTypes.map(type => type.split('.')[0]))].join('|');
  const mentioned = new RegExp(`["\`]((?:${groups})\\.[a-z]+)["\`]`, 'g');
  const recipes = readFileSync(join(projectRoot, 'docs/automation.md'), 'utf8');
  const named = [...recipes.matchAll(mentioned)].map(([, type = '']) => type);
  t.ok(named.length > 0);
  for (const type of named) t.ok(Object.hasOwn(events, type), type);
});
