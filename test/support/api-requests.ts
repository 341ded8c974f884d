// Requests made from the operations of an OpenAPI document: good ones, nearly good ones, and hostile ones.
import { Agent, request } from 'node:http';
import fc from 'fast-check';
import { fieldsOf } from '../../api/fields.ts';
import * as schemas from '../../api/schemas/transfers.ts';
import type { Answered, Operation, Parameter } from './api-contract.ts';
import { fitting, hostile, type Known, nearly } from './schema-arbitrary.ts';

export interface ApiRequest {
  /** null: no operation of the document. */
  operation: Operation | null;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | null;
}

const IDS_MAX = 50;
/** Of downloads: the daemon must have it. */
export const CATEGORY = 'music';

/** Stands for an id that an answer has shown; see `send`. */
const SEEN = '@seen-';

/** Addresses that a dial ends at, one way or the other, without leaving this machine or asking a name server. */
const address = (addresses: readonly string[]): fc.Arbitrary<string> =>
  fc.constantFrom(
    '127.0.0.1:1',
    '127.0.0.1:0',
    '[::1]:9',
    '192.0.2.1:6346',
    '[2001:db8::1]:6346',
    '999.1.1.1:1',
    '192.0.2.7',
    '2001:db8::7',
    ...addresses,
  );

const DOWNLOAD_FIELDS = [...fieldsOf(schemas.download).keys()];
const OPERATORS = ['=', '!=', '<', '<=', '>', '>=', '~', '!~', 'like', 'in', ''];

const filterTest = fc
  .tuple(
    fc.constantFrom(...DOWNLOAD_FIELDS),
    fc.constantFrom(...OPERATORS),
    fc.oneof(fc.constantFrom('1', '-2h', "'*'", '(a, b)', 'null'), fc.string({ maxLength: 8 })),
  )
  .map(words => words.join(' '));
const filter = fc.oneof(
  filterTest,
  fc.constantFrom('size > 1', "name like '*moon*'"), // of what all lists have
  fc.array(filterTest, { minLength: 2, maxLength: 5 }).map(tests => `not (${tests.join(' or ')})`),
  fc.string({ maxLength: 60 }),
);
const fieldList = fc.array(fc.constantFrom('id', 'name', 'size', 'state', 'at', 'nothing'), {
  minLength: 1,
  maxLength: 4,
});

/** A path that is no folder of this machine: what is shared is read. */
const harmlessPath = fc.oneof(
  fc.constantFrom('/nowhere/at/all', 'no-such-folder', '/etc/passwd', '/dev/null', 'a\0b', '/nowhere/../nowhere'),
  fc.string({ minLength: 1 }).map(text => `/nowhere/${text.replace(/[./\\]/g, '_')}`),
);

const SHA1 = 'urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';

const config = fc.record(
  {
    gnutella: fc.record(
      {
        maxLeaves: fc.integer({ min: -1, max: 10_001 }),
        outOfBand: fc.boolean(),
        deflate: fc.oneof(fc.boolean(), fc.constant('yes')),
        block: fc.constantFrom(null, [], ['198.51.100.0/24'], ['nonsense']),
        userAgent: fc.oneof(fc.constant(null), fc.string({ maxLength: 20 })),
      },
      { requiredKeys: [] },
    ),
    uploads: fc.record(
      { slots: fc.integer({ min: 0, max: 100 }), queue: fc.constantFrom(null, 5, '5', 5.5) },
      { requiredKeys: [] },
    ),
    queries: fc.record({ privacy: fc.constantFrom('full', 'hashed', 'counts', 'off', 'some') }),
    hooks: fc.constant([]),
    nonsense: fc.jsonValue(),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const knownFields = ({ addresses, magnet }: Surroundings): Known => ({
  id: fc.oneof(
    fc.nat(1000).map(n => `${SEEN}${n}`),
    fc.string({ minLength: 1, maxLength: 128 }),
  ),
  search: fc.nat(1000).map(n => `${SEEN}${n}`),
  result: fc.constantFrom('1', '2'),
  address: address(addresses),
  browse: address(addresses),
  sources: fc.array(
    fc.oneof(
      address(addresses),
      address(addresses).map(at => ({ address: at, push: false })),
    ),
    { maxLength: 3 },
  ),
  magnet: fc.oneof(
    fc.constantFrom(magnet, `magnet:?xt=${SHA1}`),
    fc.string().map(text => `magnet:?${text.replace(/(xs|as)/gi, '')}`),
  ),
  urn: fc.oneof(fc.constantFrom(SHA1, 'urn:x:y', `urn:bitprint:${'A'.repeat(32)}.${'B'.repeat(39)}`)),
  filter,
  sort: fieldList.map(names => `-${names.join(',')}`),
  fields: fieldList.map(names => names.join(',')),
  cursor: fc.oneof(fc.base64String(), fc.nat().map(String), fc.string({ minLength: 1 })),
  topics: fc.constantFrom('peers', 'downloads,status', 'weather'),
  expiresAt: fc.constantFrom(null, '2030-01-01T00:00:00Z', '1999-12-31T23:59:59Z', 'tomorrow'),
  category: fc.constantFrom(CATEGORY, CATEGORY, null, 'nothing'),
  cidrs: fc.constantFrom([], ['127.0.0.0/8'], ['::/0'], ['999.0.0.0/8'], ['1.2.3.4/99']),
});

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** Lone surrogates cannot be escaped. */
const escaped = (value: unknown): string => encodeURIComponent(Buffer.from(text(value)).toString());

function parametersOf(operation: Operation, where: Parameter['in']): readonly Parameter[] {
  return operation.parameters.filter(parameter => parameter.in === where);
}

type Kind = 'good' | 'nearly' | 'hostile';

function parameterValue(kind: Kind, { name, schema }: Parameter, known: Known): fc.Arbitrary<unknown> {
  const good = fitting(schema, known, name);
  return kind === 'good' ? good : fc.oneof({ arbitrary: good, weight: 2 }, { arbitrary: hostile, weight: 1 });
}

function queryOf(kind: Kind, operation: Operation, known: Known): fc.Arbitrary<string> {
  const isWaiting = ({ name }: Parameter): boolean => name === 'wait';
  const parameters = parametersOf(operation, 'query').filter(parameter => !isWaiting(parameter));
  const atOnce = parametersOf(operation, 'query').some(isWaiting) ? ['wait=0'] : []; // for bytes that nobody sends
  const pairs = parameters.map(parameter =>
    parameterValue(kind, parameter, known).map(value => `${parameter.name}=${escaped(value)}`),
  );
  const extra = fc.tuple(hostile, hostile).map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
  const chosen = (
    pairs.length === 0 ? fc.constant<string[]>([]) : fc.subarray(pairs).chain(some => fc.tuple(...some))
  ) as fc.Arbitrary<string[]>;
  if (kind === 'good') return chosen.map(some => [...atOnce, ...some].join('&'));
  return fc
    .tuple(chosen, fc.array(fc.oneof(extra, ...pairs), { maxLength: 2 }))
    .map(([some, more]) => [...atOnce, ...some, ...more].join('&'));
}

function pathOf(kind: Kind, operation: Operation, known: Known): fc.Arbitrary<string> {
  const [parameter] = parametersOf(operation, 'path');
  if (parameter === undefined) return fc.constant(operation.path);
  return parameterValue(kind, parameter, known).map(value => operation.path.replace(/\{\w+\}/, () => escaped(value)));
}

function bodyOf(
  kind: Kind,
  operation: Operation,
  known: Known,
  operations: readonly Operation[],
): fc.Arbitrary<string | null> {
  const { body } = operation;
  if (body === null) return kind === 'hostile' ? fc.oneof(fc.constant(null), hostile.map(text)) : fc.constant(null);
  const good =
    operation.id === 'bulk'
      ? bulkBody(operations, known)
      : operation.id === 'changeConfig'
        ? config
        : fitting(body, known);
  const json = (value: unknown): string => JSON.stringify(value) ?? '';
  if (kind === 'good') return good.map(json);
  // What the schema says of paths and configurations is too little to be sent without harm: shared folders are read.
  if (operation.id === 'shareFolder' || operation.id === 'changeConfig')
    return fc.oneof(good.map(json), fc.constantFrom('{}', '[]', '{"path":7}', '{"__proto__":{"path":"/nowhere"}}'));
  if (kind === 'nearly') return nearly(body, known).map(json);
  return fc.oneof(
    hostile.map(json),
    fc.string(),
    good.map(value => json(value).slice(0, -1)),
    fc.constantFrom('{"a":1,"a":2}', `${'['.repeat(20_000)}`, '\ufeff{}', '{"__proto__":{"x":1}}', 'null', '1'),
  );
}

/** A few operations in one call, the streams and the call itself among them. */
function bulkBody(operations: readonly Operation[], known: Known): fc.Arbitrary<unknown> {
  const one = fc
    .constantFrom(...operations.filter(({ id }) => id !== 'shareFolder' && id !== 'changeConfig'))
    .chain(({ id, parameters, body }) => {
      const fields = Object.fromEntries(
        parameters
          .filter(({ in: where }) => where !== 'header')
          .map(({ name, schema }) => [name, fitting(schema, known, name)]),
      );
      const flat = fc.record(fields, { requiredKeys: [], noNullPrototype: true });
      const inner = body === null || id === 'bulk' ? fc.constant({}) : fitting(body, known);
      return fc.tuple(flat, inner).map(([some, more]) => ({ operation: id, input: { ...some, ...(more as object) } }));
    });
  return fc.record({ operations: fc.array(one, { minLength: 1, maxLength: 4 }) });
}

function headersOf(kind: Kind, operation: Operation): fc.Arbitrary<Record<string, string>> {
  const printable = fc.string({ maxLength: 300 }).map(value => value.replace(/[^\x20-\x7e]/g, '?'));
  const own = parametersOf(operation, 'header').map(({ name }) => name);
  const given = fc.dictionary(
    own.length === 0 ? fc.constant('X-Anything') : fc.constantFrom(...own),
    kind === 'good' ? fc.constantFrom('"abc"', '*', 'k1', 'k2') : printable,
    { maxKeys: 1, noNullPrototype: true },
  );
  if (kind !== 'hostile') return given;
  const odd = fc.constantFrom<Record<string, string>>(
    {},
    { 'Content-Type': 'text/plain' },
    { 'Content-Type': 'application/json; charset=utf-16' },
    { 'Content-Encoding': 'gzip' },
    { Authorization: 'Basic eDp5' },
    { Authorization: 'Bearer ' },
    { Authorization: `Bearer ${'x'.repeat(600)}` },
    { Host: 'stranger.example' },
    { Origin: 'http://stranger.example' },
    { Origin: 'null', 'Access-Control-Request-Method': 'POST' },
    { 'Last-Event-ID': '-1' },
    { Range: 'bytes=0-' },
    { Expect: 'something' },
    { 'X-HTTP-Method-Override': 'DELETE' },
  );
  return fc.tuple(given, odd).map(([one, other]) => ({ ...one, ...other }));
}

/** What the requests may be about, besides what they make up. */
export interface Surroundings {
  /** Servents that may be dialled. */
  addresses: readonly string[];
  /** Folders that may be shared. */
  folders: readonly string[];
  /** Of a file that can be downloaded. */
  magnet: string;
}

/** Any request to the operations, and some to no operation. */
export function requests(operations: readonly Operation[], surroundings: Surroundings): fc.Arbitrary<ApiRequest> {
  const path = fc.oneof(harmlessPath, fc.constantFrom(...surroundings.folders));
  const known = { ...knownFields(surroundings), path };
  const of = (kind: Kind, operation: Operation): fc.Arbitrary<ApiRequest> =>
    fc.record({
      operation: fc.constant(operation),
      method: fc.constant(operation.method),
      path: fc
        .tuple(pathOf(kind, operation, known), queryOf(kind, operation, known))
        .map(([path, query]) => (query === '' ? path : `${path}?${query}`)),
      headers: headersOf(kind, operation),
      body: bodyOf(kind, operation, known, operations),
    });
  const nowhere: fc.Arbitrary<ApiRequest> = fc.record({
    operation: fc.constant(null),
    method: fc.constantFrom('PUT', 'TRACE', 'PROPFIND', 'OPTIONS', 'LOCK'),
    path: fc.oneof(
      fc.constantFrom(...operations).map(({ path }) => path),
      fc.array(hostile.map(escaped), { maxLength: 4 }).map(parts => `/api/v1/${parts.join('/')}`),
    ),
    headers: fc.constant({}),
    body: fc.constant(null),
  });
  const kinds: [Kind, number][] = [
    ['good', 8],
    ['nearly', 8],
    ['hostile', 3],
  ];
  return fc.oneof(
    ...operations.flatMap(operation => kinds.map(([kind, weight]) => ({ weight, arbitrary: of(kind, operation) }))),
    { weight: 20, arbitrary: nowhere },
  );
}

/** Sends requests over a few connections that are kept, and remembers the ids that answers show. */
export class ApiSender {
  readonly #url: URL;
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });
  /** The latest of each collection, by the segment of its path. */
  readonly #ids = new Map<string, string[]>();

  constructor(url: string, token: string) {
    this.#url = new URL(url);
    this.#token = token;
  }

  /** The next requests are about this one, until further ids of the collection are shown. */
  know(collection: string, id: string): void {
    this.#ids.set(collection, [id]);
  }

  close(): void {
    this.#agent.destroy();
  }

  send({ method, path, headers, body }: ApiRequest): Promise<Answered> {
    const collection = collectionOf(path);
    const settled = (given: string): string => {
      // Downloads are ordered by the ids of searches; bulk calls are about anything.
      const ids = this.#ids.get(given === body && collection === 'downloads' ? 'searches' : collection);
      const known = ids ?? [...this.#ids.values()].flat();
      return given.replace(/@seen-(\d+)/g, (_, n: string) => known[Number(n) % known.length] ?? 'none');
    };
    const sent = body === null ? null : Buffer.from(settled(body));
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          agent: this.#agent,
          host: this.#url.hostname,
          port: this.#url.port,
          method,
          path: settled(path.replaceAll('%40seen-', SEEN)),
          headers: {
            Authorization: `Bearer ${this.#token}`,
            ...(sent === null ? {} : { 'Content-Type': 'application/json', 'Content-Length': sent.length }),
            ...headers,
          },
        },
        response => {
          const answered = (text: string): void =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
          if (response.headers['content-type']?.startsWith('text/event-stream') === true) {
            answered('');
            outgoing.destroy();
            return;
          }
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('error', reject);
          response.on('end', () => {
            this.#note(collection, text);
            answered(text);
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(sent ?? undefined);
    });
  }

  #note(collection: string, text: string): void {
    const ids = this.#ids.get(collection) ?? [];
    this.#ids.set(collection, ids);
    for (const [, id] of text.slice(0, 2_000).matchAll(/\{"(?:id|address)":"([^"\\]{1,64})"/g)) ids.push(id ?? '');
    if (ids.length > IDS_MAX) ids.splice(0, ids.length - IDS_MAX);
  }
}

/** `downloads` of `/api/v1/downloads/7`; `library/folders` is `folders`. */
function collectionOf(path: string): string {
  const [, , , first = '', second = ''] = (path.split('?', 1)[0] ?? '').split('/');
  return first === 'library' ? second : first;
}
