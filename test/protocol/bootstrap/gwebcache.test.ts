import fc from 'fast-check';
import t from 'tap';
import { GwebCache, PRIVATE_CACHE_RULES } from '../../../protocol/bootstrap/gwebcache.ts';
import { canonicalCacheUrl, parseGwebCacheAnswer } from '../../../protocol/bootstrap/gwebcache-answer.ts';
import { encodeGwebCacheRequest } from '../../../protocol/bootstrap/gwebcache-request.ts';
import { formatEndpoint } from '../../../protocol/wire/endpoint.ts';
import { readFixture } from '../../support/fixtures.ts';

interface Vector {
  request?: string;
  response: string;
  out: {
    hosts?: string[];
    urls?: string[];
    ok?: boolean;
    pong?: string;
    warning?: string;
    supported?: boolean;
    error?: string;
    drop_cache?: boolean;
  };
}

const { gwc } = readFixture<{ gwc: Vector[] }>('vectors/transfer-vectors.json');
const rules = { ...PRIVATE_CACHE_RULES, network: 'gnutella', name: 'LabCache 1' };
const publicRules = { ...rules, lab: false, updateLockMs: 600_000 };

t.test('every published answer is read', async t => {
  for (const { response, out } of gwc) {
    const answer = parseGwebCacheAnswer(response);
    if (out.hosts) t.strictSame(answer.hosts.map(formatEndpoint), out.hosts, response);
    if (out.urls) t.strictSame(answer.urls, out.urls, response);
    if (out.ok !== undefined) t.equal(answer.updated, out.ok, response);
    if (out.pong) t.equal(answer.pong, out.pong);
    if (out.warning) t.equal(answer.warning, out.warning);
    if (out.supported !== undefined) t.equal(answer.supported, out.supported);
    if (out.drop_cache) t.equal(answer.error, out.error);
  }
});

t.test('a servent that submitted itself is handed to the next one, in both specifications', async t => {
  const cache = new GwebCache(rules);
  const hello = encodeGwebCacheRequest({
    vendor: 'SRVT',
    version: '0.1',
    network: 'gnutella',
    get: false,
    ping: false,
    update: { host: '127.0.0.1', port: 7001 },
    url: null,
  });
  t.equal(parseGwebCacheAnswer(cache.answer(hello, '127.0.0.1', 0)).updated, true);
  const second = parseGwebCacheAnswer(
    cache.answer('get=1&ping=1&net=gnutella&client=WSHR&version=7.0', '127.0.0.1', 5000),
  );
  t.strictSame(second.hosts, [{ host: '127.0.0.1', port: 7001 }]);
  t.equal(second.pong, 'LabCache 1');
  const first = parseGwebCacheAnswer(cache.answer('hostfile=1&client=TEST&version=0.1', '127.0.0.1', 5000));
  t.strictSame(first.hosts, [{ host: '127.0.0.1', port: 7001 }]);
});

t.test('hosts end after their life, and an empty answer still has a line', async t => {
  const cache = new GwebCache(rules);
  cache.add({ host: '127.0.0.1', port: 7001 }, 0);
  t.equal(cache.answer('get=1&client=TEST0.1', '127.0.0.1', rules.hostLifeMs + 1), 'I|nothing\r\n');
});

t.test('a public cache takes a servent for itself only, not too often, and no private address', async t => {
  const cache = new GwebCache(publicRules);
  const update = (ip: string, from: string, now: number) =>
    parseGwebCacheAnswer(cache.answer(`update=1&ip=${encodeURIComponent(ip)}&net=gnutella&client=TEST0.1`, from, now));
  t.equal(update('5.5.1.1:6346', '5.5.1.2', 0).warning, 'Rejected IP');
  t.equal(update('10.0.0.1:6346', '10.0.0.1', 0).warning, 'Rejected IP');
  t.equal(update('5.5.1.1:6346', '5.5.1.1', 0).updated, true);
  t.equal(update('5.5.1.1:6346', '5.5.1.1', 1000).warning, 'You came back too early');
});

t.test('strangers to the rules are refused: anonymous, doubled parameters, other networks', async t => {
  const cache = new GwebCache(rules);
  t.match(cache.answer('get=1', '127.0.0.1', 0), /^ERROR/);
  t.match(cache.answer('get=1&get=1&client=X', '127.0.0.1', 0), /^ERROR/);
  t.equal(parseGwebCacheAnswer(cache.answer('get=1&client=X&net=gnutella2', '127.0.0.1', 0)).supported, false);
  t.equal(cache.counters.refused, 3);
});

t.test('one spelling a cache', async t => {
  t.equal(canonicalCacheUrl('HTTP://Cache.Example.COM:80/%7Egwc/index.php'), 'http://cache.example.com/~gwc/');
  t.equal(canonicalCacheUrl('https://cache.example.com/'), null);
  t.equal(canonicalCacheUrl('http://cache.example.com/?q=1'), null);
  t.equal(canonicalCacheUrl(`http://cache.example.com/${'a'.repeat(200)}`), null);
});

t.test('whatever a cache is asked, no data line holds a comma or lacks its fields', async () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), fc.webQueryParameters(), (noise, query) => {
      const cache = new GwebCache(rules);
      cache.answer(`url=http://a.example/${encodeURIComponent(noise)}&ip=127.0.0.1:9&client=T`, '127.0.0.1', 0);
      return [query, noise, `get=1&client=T&${query}`].every(words =>
        cache
          .answer(words, '127.0.0.1', 1)
          .split('\r\n')
          .filter(line => /^[HUI]\|/.test(line))
          .every(line => !line.includes(',') && line.split('|').length >= 2),
      );
    }),
  );
});

t.test('any text is read without an exception and within the caps', async () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2000 }), body => {
      const { hosts, urls } = parseGwebCacheAnswer(body);
      return hosts.length <= 500 && urls.length <= 200;
    }),
  );
});
