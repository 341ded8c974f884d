// Makes the OpenAPI 3.1 document from the tables.
import type { z } from 'zod';
import { BODY_BYTES_MAX } from './body.ts';
import type { Endpoint } from './endpoint.ts';
import type { OutputOf } from './endpoints.ts';
import { endpointNames, endpoints } from './endpoints.ts';
import { type ApiErrorCode, problemKinds } from './errors.ts';
import { type EventRow, event, events, eventTypes } from './events.ts';
import { itemOf, type JsonSchema, jsonSchemaOf, schemaNames } from './schema-names.ts';
import { problem } from './schemas/service.ts';
import { type StreamName, type StreamRow, streamNames, streams } from './streams.ts';

type Json = Record<string, unknown>;

const JSON_TYPE = 'application/json';

export function openApiDocument(version: string): OutputOf<'openapi'> {
  const rows = endpointNames.flatMap(name => {
    const row = endpoints[name] as Endpoint;
    return row.openapi ? [[name, row] as const] : [];
  });
  const paths: Record<string, Json> = {};
  const schemas: Record<string, JsonSchema> = { problem: jsonSchemaOf(problem, 'output') };
  schemas['event'] = eventSchema(schemas);
  for (const [name, row] of rows) {
    const path = row.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: operation(name, row, schemas) };
  }
  for (const name of streamNames) {
    const path = streams[name].path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], get: streamOperation(name) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'servent admin API',
      version,
      description: `Times are ISO 8601 UTC, sizes bytes, durations seconds, rates bytes per second. Ids are opaque. Bodies have at most ${BODY_BYTES_MAX} bytes. Fields may be added to answers at any time.`,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(rows.map(([, { tag }]) => tag))].map(name => ({ name })),
    security: [{ key: [] }],
    paths,
    webhooks: { event: { post: webhook() } },
    components: {
      schemas,
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: "The owner's token, or a named key with the scope of the operation.",
        },
      },
      responses: {
        problem: { description: 'Refused.', content: { 'application/problem+json': { schema: ref('problem') } } },
      },
    },
  };
}

function operation(name: string, row: Endpoint, schemas: Record<string, JsonSchema>): Json {
  return {
    operationId: name,
    tags: [row.tag],
    summary: row.doc,
    'x-scope': row.scope,
    ...(row.scope === 'open' ? { security: [] } : {}),
    parameters: [...parameters(row.params, 'path'), ...parameters(row.query, 'query'), ...headers(row)],
    ...(row.body === null
      ? {}
      : { requestBody: { required: true, content: { [JSON_TYPE]: { schema: jsonSchemaOf(row.body, 'input') } } } }),
    responses: responses(row, schemas),
  };
}

/** Describes a streamed or non-JSON answer. */
function streamOperation(name: StreamName): Json {
  const { doc, tag, scope, params, query, type, ranges } = streams[name] as StreamRow;
  const content = { [type]: { schema: { type: 'string' }, ...(name === 'events' ? { 'x-data': ref('event') } : {}) } };
  return {
    operationId: name,
    tags: [tag],
    summary: doc,
    'x-scope': scope,
    parameters: [...parameters(params, 'path'), ...parameters(query, 'query')],
    responses: {
      200: { description: 'The answer.', content },
      ...(ranges === true ? { 206: { description: 'The range.', content } } : {}),
      default: { $ref: '#/components/responses/problem' },
    },
  };
}

function parameters(schema: z.ZodType | null, where: 'path' | 'query'): Json[] {
  if (schema === null) return [];
  const { properties = {}, required = [] } = jsonSchemaOf(schema, 'input');
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function headers({ method, scope, ifMatch }: Endpoint): Json[] {
  const header = (name: string, description: string): Json => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string', maxLength: 255 },
  });
  if (method === 'POST')
    return [
      header(
        'Idempotency-Key',
        'A repeated call with the same key within a day gets the first answer and does not run again.',
      ),
    ];
  if (ifMatch !== null)
    return [header('If-Match', `The ETag of \`${ifMatch}\` as last read; 412 when it has changed.`)];
  return method === 'GET' && scope !== 'open'
    ? [header('If-None-Match', 'The ETag of a stored answer; 304 when it is current.')]
    : [];
}

/** Schema of all events, discriminated by `type`. */
function eventSchema(schemas: Record<string, JsonSchema>): JsonSchema {
  const { properties = {}, required = [] } = jsonSchemaOf(event, 'output');
  return {
    anyOf: eventTypes.map(type => {
      const { topic, schema, doc }: EventRow = events[type];
      const own = { topic: { const: topic }, type: { const: type }, data: named(schema, schemas) };
      return { type: 'object', description: doc, properties: { ...properties, ...own }, required };
    }),
  };
}

/** Describes the request sent to a webhook. */
function webhook(): Json {
  return {
    summary: 'A kept event, sent to a URL of `hooks` in the configuration; docs/api.md describes the signature.',
    security: [],
    requestBody: { required: true, content: { [JSON_TYPE]: { schema: ref('event') } } },
    responses: { '2XX': { description: 'The event is accepted; any other status causes a retry.' } },
  };
}

const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

function named(schema: z.ZodType, schemas: Record<string, JsonSchema>): JsonSchema {
  const name = schemaNames.get(schema);
  if (name === undefined) return jsonSchemaOf(schema, 'output');
  schemas[name] ??= jsonSchemaOf(schema, 'output');
  return ref(name);
}

function outputSchema(output: z.ZodType, isList: boolean, schemas: Record<string, JsonSchema>): JsonSchema {
  const item = itemOf(output);
  if (item === null || !isList) return named(output, schemas);
  return {
    type: 'object',
    properties: { items: { type: 'array', items: named(item, schemas) }, next: { type: ['string', 'null'] } },
    required: ['items', 'next'],
  };
}

/** Error codes that a call with these parts can get. */
function problemsOf(row: Endpoint): ApiErrorCode[] {
  const codes: ApiErrorCode[] = [...row.problems, 'EXPECTATION_FAILED'];
  // Endpoints with a scope reject unknown parameters.
  if (row.scope !== 'open') codes.push('UNAUTHORIZED', 'FORBIDDEN', 'TOO_MANY_FAILURES', 'INVALID');
  if (row.body !== null) codes.push('TOO_SLOW', 'BODY_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE');
  if (row.method === 'POST') codes.push('KEY_REUSED', 'CONFLICT', 'TOO_MANY');
  return codes;
}

function responses(row: Endpoint, schemas: Record<string, JsonSchema>): Json {
  const { output, success, statusFor } = row;
  const isList = row.query !== null;
  const good: Json = {
    description: output === null ? 'Done.' : 'The answer.',
    ...(output === null ? {} : { content: { [JSON_TYPE]: { schema: outputSchema(output, isList, schemas) } } }),
  };
  const out: Json = { [success]: good };
  if (statusFor !== undefined) out['503'] = good;
  if (row.method === 'GET' && row.scope !== 'open') out['304'] = { description: 'The stored answer is current.' };
  const codes = new Set(problemsOf(row));
  for (const { code, status } of problemKinds)
    if (codes.has(code)) out[status] ??= { $ref: '#/components/responses/problem' };
  return out;
}
