// Writes docs/api.md from the tables of endpoints, streams, events and errors.
import type { z } from 'zod';
import { BODY_BYTES_MAX } from './body.ts';
import type { Endpoint } from './endpoint.ts';
import { endpointNames, endpoints } from './endpoints.ts';
import { problemKinds } from './errors.ts';
import { type EventRow, event, events, eventTypes, gap } from './events.ts';
import { itemOf, type JsonSchema, jsonSchemaOf, schemaNames } from './schema-names.ts';
import { PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX } from './schemas/common.ts';
import * as service from './schemas/service.ts';
import { type StreamRow, streamNames, streams } from './streams.ts';

export function apiDocument(): string {
  const rows = endpointNames.map(name => endpoints[name] as Endpoint);
  const tags = [...new Set(rows.map(({ tag }) => tag))];
  return [
    ...introduction(),
    ...tags.flatMap(tag =>
      section(
        tag,
        rows.filter(row => row.tag === tag),
      ),
    ),
    ...streamed(),
    ...problems(),
    '',
  ].join('\n');
}

function introduction(): string[] {
  return [
    '# Admin API',
    '',
    '<!-- Generated from api/endpoints.ts by `npm run docs`; edit that file. -->',
    '',
    'HTTP/1.1 and JSON. Every call except the health probes needs `Authorization: Bearer TOKEN`; the token is in the file `api-token` of the',
    'data folder, readable by its owner alone. Call the API by its address or as `localhost`: other names in the Host header are refused.',
    '',
    'Times are ISO 8601 UTC, sizes bytes, durations seconds, rates bytes per second. Ids are opaque. Fields may be added to answers at any',
    'time; unknown fields in requests are refused.',
    '',
    `Bodies are \`application/json\` of at most ${BODY_BYTES_MAX} bytes.`,
    '',
    '```sh',
    'curl -H "Authorization: Bearer $(cat DATA-DIR/api-token)" http://127.0.0.1:8346/api/v1/status',
    '```',
    '',
    '[automation.md](automation.md) has recipes for scripts.',
    ...lists(),
    ...safety(),
  ];
}

function lists(): string[] {
  return [
    '',
    '## Lists',
    '',
    `Lists take \`limit\` (1 to ${PAGE_LIMIT_MAX}, default ${PAGE_LIMIT_DEFAULT}) and \`cursor\` and answer \`{"items": […], "next": cursor}\`; \`next\` is null on the last page.`,
    'When a list changes between two pages, items that stay in it are still returned once. `sort=-size,name` orders by up to three fields, `-` is',
    'descending; `fields=id,messages.in` returns only these fields.',
    '',
    '### Filters',
    '',
    '`filter=` takes tests of fields, joined by `and`, `or`, `not` and parentheses; `and` binds closer than `or`:',
    '',
    '```',
    "size > 100MiB and name ~ 'moon' and not state in (paused, failed)",
    '```',
    '',
    '| test | holds when |',
    '| --- | --- |',
    '| `name = x`, `name != x` | the value is, or is not, exactly `x`; `null`: unknown |',
    '| `size >= 1.5k` | numbers, with `k M G T` or `Ki Mi Gi Ti`; a list counts as its length |',
    '| `addedAt > -2h` | times: ISO 8601, or a number of `s m h d w` ago |',
    "| `name ~ 'blue moon'`, `!~` | the text contains it, ignoring case |",
    "| `name like '*.ogg'` | the whole text matches; `*` is any run of characters, `?` any one |",
    '| `state in (active, queued)` | the value is one of these |',
    '| `deflate` | the value is true |',
    "| `'moon'` | any text of the item contains it |",
    '',
    'A field with several values, such as `sources.address`, passes when one of its values passes.',
  ];
}

function safety(): string[] {
  return [
    '',
    '## Retries and concurrent changes',
    '',
    'A POST with an `Idempotency-Key` runs once: repeated within a day, it gets the same answer with `Idempotency-Replayed: true`. Answers to GET have an',
    '`ETag`: with `If-None-Match` an unchanged object is answered with 304 and no body; with `If-Match` a change of the configuration is refused with 412',
    'when the configuration has changed meanwhile.',
  ];
}

function operation(endpoint: Endpoint): string[] {
  const lines = ['', `### ${endpoint.method} ${endpoint.path}`, '', endpoint.doc];
  if (endpoint.scope === 'open') lines.push('', 'Needs no token.');
  if (endpoint.query !== null && !isList(endpoint))
    lines.push('', 'Query:', '', ...fields(jsonSchemaOf(endpoint.query, 'input')));
  if (endpoint.body !== null) lines.push('', ...bodyFields(endpoint.body));
  lines.push('', answer(endpoint));
  if (endpoint.problems.length > 0)
    lines.push('', `Own error codes: ${endpoint.problems.map(code => `\`${code}\``).join(', ')}.`);
  return lines;
}

function bodyFields(body: z.ZodType): string[] {
  const schema = jsonSchemaOf(body, 'input');
  if (schema.anyOf === undefined) return ['Body:', '', ...fields(schema)];
  return schema.anyOf.flatMap((branch, i) => [i === 0 ? 'Body:' : 'or', '', ...fields(branch), '']).slice(0, -1);
}

function answer({ output, success }: Endpoint): string {
  if (output === null) return `Answers ${success} without a body.`;
  const named = itemOf(output) ?? output;
  const what = objectText(named);
  return `Answers ${success} and ${named === output ? `one ${what}` : `a list of ${what}`}.`;
}

const isList = ({ output }: Endpoint): boolean => output !== null && itemOf(output) !== null;

/** Writes the operations of one group, then the schemas of their answers. */
function section(tag: string, rows: readonly Endpoint[]): string[] {
  const answered = new Set(rows.flatMap(({ output }) => (output === null ? [] : [itemOf(output) ?? output])));
  return [
    '',
    `## ${tag}`,
    ...rows.flatMap(operation),
    ...[...answered].flatMap(schema => [
      '',
      `### The ${schemaNames.get(schema) ?? ''} object`,
      '',
      ...fields(jsonSchemaOf(schema, 'output'), true),
    ]),
  ];
}

/** Returns a link to a named schema, else the names of its fields. */
function objectText(schema: z.ZodType): string {
  const name = schemaNames.get(schema);
  if (name !== undefined) return `[${name}](#the-${name.toLowerCase()}-object)`;
  const names = Object.keys(jsonSchemaOf(schema, 'output').properties ?? {});
  return names.map(field => `\`${field}\``).join(', ');
}

/** Writes a table of fields: nested objects as `outer.inner`, lists as `outer[].inner`. */
function fields(schema: JsonSchema, isAnswer = false): string[] {
  return ['| field | type | meaning |', '| --- | --- | --- |', ...rowsOf(schema, '', isAnswer)];
}

function rowsOf({ properties = {}, required = [] }: JsonSchema, prefix: string, isAnswer: boolean): string[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const path = `${prefix}${name}`;
    const optional = required.includes(name) || isAnswer ? '' : ', optional';
    const initially =
      schema.default === undefined || typeof schema.default === 'object' ? '' : `, default ${String(schema.default)}`;
    const row = `| \`${path}\` | ${typeText(schema)}${initially === '' ? optional : initially} | ${schema.description ?? ''} |`;
    if (schema.type === 'object') return [row, ...rowsOf(schema, `${path}.`, isAnswer)];
    if (schema.items?.type === 'object') return [row, ...rowsOf(schema.items, `${path}[].`, isAnswer)];
    return [row];
  });
}

function typeText(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeText))].join(' or ');
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map(value => `\`${String(value)}\``).join(', ');
  if (schema.type === 'array') return `list of ${typeText(schema.items ?? {})}`;
  if (schema.format === 'date-time') return 'time';
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object' && schema.properties === undefined)
    return `object of ${typeText(schema.additionalProperties)}`;
  if (schema.type === 'integer' || schema.type === 'number') return `${schema.type}${rangeText(schema)}`;
  return [schema.type ?? 'anything'].flat().join(' or ');
}

function rangeText({ minimum, maximum }: JsonSchema): string {
  if (maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER) return '';
  return minimum === undefined ? ` up to ${maximum}` : ` ${minimum} to ${maximum}`;
}

/** Documents the streams and events. */
function streamed(): string[] {
  return [
    '',
    '## Streams',
    ...streamNames.flatMap(name => {
      const { path, doc, scope, query, type } = streams[name] as StreamRow;
      const asked = query === null ? [] : ['', 'Query:', '', ...fields(jsonSchemaOf(query, 'input'))];
      return ['', `### GET ${path}`, '', doc, ...asked, '', `Scope \`${scope}\`. Answers 200 and \`${type}\`.`];
    }),
    '',
    'Each event has its `id`, its type as `event`, and as `data` one line of JSON:',
    '',
    ...fields(jsonSchemaOf(event, 'output'), true),
    '',
    'A frame `gap` is not an event: its `data` has the ids of events that could not be delivered.',
    '',
    ...fields(jsonSchemaOf(gap, 'output'), true),
    '',
    'Events are kept for seven days, at most 10,000, also across restarts. Events marked `passing` or `latest` are only sent to open streams and not',
    'kept; of `latest` events only the newest of each object is sent, once per `interval`.',
    'Webhooks and commands (`hooks` in the configuration) get the same JSON. A webhook is signed in `Servent-Signature: t=SECONDS,v1=HEX`,',
    'the HMAC-SHA256 of `SECONDS.BODY`; a delivery that is not answered with 2xx is repeated up to twelve times within about an hour.',
    '',
    '| topic | type | | data | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...eventTypes.map(type => {
      const { topic, retention, schema, doc }: EventRow = events[type];
      return `| \`${topic}\` | \`${type}\` | ${retention} | ${objectText(schema)} | ${doc} |`;
    }),
  ];
}

function problems(): string[] {
  return [
    '',
    '## Refusals',
    '',
    'Every error is an `application/problem+json` document (RFC 9457):',
    '',
    ...fields(jsonSchemaOf(service.problem, 'output'), true),
    '',
    'The codes are stable:',
    '',
    '| code | status | type | |',
    '| --- | --- | --- | --- |',
    ...problemKinds.map(({ code, status, type, title }) => `| \`${code}\` | ${status} | \`${type}\` | ${title} |`),
  ];
}
