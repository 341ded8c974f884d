// Writes api/outline.ts: the parts of the tables that clients and the start of the daemon need, without schemas, which take a command
// longer to load than its call.
import type { Endpoint } from './endpoint.ts';
import { endpointNames, endpoints } from './endpoints.ts';
import { events, eventTypes } from './events.ts';
import { fieldsOf } from './fields.ts';
import { routeOf } from './input.ts';
import { file, folder } from './schemas/library.ts';
import { host, peer, query } from './schemas/overlay.ts';
import { result, search } from './schemas/searches.ts';
import { setting } from './schemas/service.ts';
import { download, pastTransfer, upload } from './schemas/transfers.ts';
import { streamNames, streams } from './streams.ts';

const LISTED = { peer, query, search, result, download, upload, pastTransfer, folder, file, host, setting } as const;

export function outlineModule(): string {
  const line = (name: string, value: unknown): string => `  ${name}: ${JSON.stringify(value)},`;
  return [
    '// Generated from the tables of endpoints, streams and schemas by `npm run docs`; edit those.',
    "import type { Field, Fields } from './fields.ts';",
    "import type { Route } from './input.ts';",
    '',
    '/** Routes by name of the operation. */',
    'export const routes: Readonly<Record<string, Route>> = {',
    ...endpointNames.map(name => line(name, routeOf(endpoints[name] as Endpoint))),
    '};',
    '',
    'export const streamPaths = {',
    ...streamNames.map(name => line(name, streams[name].path)),
    '} as const;',
    '',
    '/** Topic and retention by type of event. */',
    'export const eventKinds = {',
    ...eventTypes.map(type => {
      const { topic, retention } = events[type];
      return line(JSON.stringify(type), { topic, retention });
    }),
    '} as const;',
    '',
    'const fields = (...of: Field[]): Fields => new Map(of.map(field => [field.path, field]));',
    '',
    '/** Fields that lists can be filtered and sorted by. */',
    'export const listFields = {',
    ...Object.entries(LISTED).flatMap(([name, schema]) => [
      `  ${name}: fields(`,
      ...[...fieldsOf(schema).values()].map(field => `    ${JSON.stringify(field)},`),
      '  ),',
    ]),
    '} as const;',
    '',
  ].join('\n');
}
