import fc from 'fast-check';
import t from 'tap';
import { type Endpoint, endpointNames, endpoints } from '../../api/endpoints.ts';
import { problem } from '../../api/schemas/service.ts';
import { serveFake } from '../support/api-server.ts';

const REQUESTS = 1500;
const rows = endpointNames.map(name => endpoints[name] as Endpoint);

const word = fc.oneof(
  fc.constantFrom(
    'id',
    'state',
    'text',
    'urn',
    'path',
    'limit',
    'cursor',
    '__proto__',
    'constructor',
    '',
    'd1',
    's1',
    'paused',
  ),
  fc.string(),
);
const value = fc.oneof(
  word,
  fc.jsonValue(),
  fc.constantFrom(-1, 1e300, 2 ** 53, null, 'urn:sha1:x', 'magnet:?', '127.0.0.1:1'),
);
const body = fc.oneof(
  fc.dictionary(word, value, { maxKeys: 5 }).map(given => JSON.stringify(given)),
  fc.jsonValue().map(given => JSON.stringify(given)),
  fc.string(),
);
const segment = word.map(encodeURIComponent);
const path = fc.oneof(
  fc.constantFrom(...rows).chain(row => segment.map(id => row.path.replace(':id', id))),
  fc.array(segment, { maxLength: 4 }).map(parts => `/api/v1/${parts.join('/')}`),
);
const query = fc.oneof(
  fc.constant(''),
  fc
    .array(fc.tuple(segment, segment), { maxLength: 3 })
    .map(pairs => `?${pairs.map(pair => pair.join('=')).join('&')}`),
);

t.test(
  'whatever is asked, the answer is the documented one or a problem of the caller, never a mistake of ours',
  async t => {
    const { raw, mistakes } = await serveFake(t);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'PUT'),
        path,
        query,
        body,
        async (method, at, asked, given) => {
          const withBody = method !== 'GET' && method !== 'DELETE';
          const reply = await raw({
            method,
            path: `${at}${asked}`,
            ...(withBody ? { headers: { 'Content-Type': 'application/json' }, body: given } : {}),
          });
          if (reply.status >= 400) problem.parse(reply.json);
          return reply.status < 500 && mistakes.length === 0;
        },
      ),
      { numRuns: REQUESTS },
    );
    t.strictSame(mistakes, []);
  },
);
