import assert from 'node:assert/strict';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import t from 'tap';
import {
  addressOrNull,
  canonicalHost,
  ENDPOINTS_MAX,
  endpointOrNull,
  formatEndpoint,
  isIpv6,
  packEndpoint,
  packIpv4,
  packIpv6,
  parseEndpoint,
  parseEndpointList,
  reachOf,
  unpackEndpoints,
  unpackIpv4,
  unpackIpv6,
} from '../../../protocol/wire/endpoint.ts';
import { endpoint, endpoint4, endpoint6 } from '../../support/wire-arbitraries.ts';

t.test('text and value of an endpoint are the same thing', async () => {
  fc.assert(
    fc.property(endpoint, value => {
      assert.deepEqual(parseEndpoint(formatEndpoint(value)), value);
    }),
  );
});

t.test('packed bytes and value of an endpoint are the same thing', async t => {
  fc.assert(
    fc.property(endpoint, value => {
      const packed = packEndpoint(value);
      assert.deepEqual(unpackEndpoints(packed, isIpv6(value.host) ? 16 : 4), [value]);
    }),
  );
  t.equal(packEndpoint({ host: '192.0.2.1', port: 6346 }).toString('hex'), 'c0000201ca18', 'port little-endian');
  t.equal(packEndpoint({ host: '2001:db8::1', port: 6346 }).toString('hex'), '20010db8000000000000000000000001ca18');
});

t.test('many packed endpoints are read up to a bound and a torn last one is left out', async t => {
  fc.assert(
    fc.property(fc.array(endpoint4, { maxLength: 20 }), fc.array(endpoint6, { maxLength: 20 }), (v4, v6) => {
      const torn = Buffer.alloc(5);
      assert.deepEqual(unpackEndpoints(Buffer.concat([...v4.map(packEndpoint), torn]), 4), v4);
      assert.deepEqual(unpackEndpoints(Buffer.concat([...v6.map(packEndpoint), torn]), 16, 7), v6.slice(0, 7));
    }),
  );
  t.equal(unpackEndpoints(Buffer.alloc(6 * 1000, 1), 4).length, ENDPOINTS_MAX);
});

t.test('addresses have one textual form', async t => {
  t.equal(canonicalHost('2001:DB8:0:0:0:0:0:1'), '2001:db8::1');
  t.equal(canonicalHost('::FFFF:127.0.0.1'), '127.0.0.1', 'as dual-stack sockets report IPv4');
  t.equal(canonicalHost('::ffff:7f00:1'), '127.0.0.1');
  t.equal(unpackIpv6(packIpv6('127.0.0.1'), 0), '127.0.0.1');
  t.equal(canonicalHost('10.0.0.1'), '10.0.0.1');
  t.equal(unpackIpv4(packIpv4('250.1.20.0'), 0), '250.1.20.0');
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.',
    '127.1',
    '0x7f.0.0.1',
    'localhost',
  ]) {
    t.equal(canonicalHost(text), null, text);
  }
  for (const text of [':', ':::', '1::2::3', 'fe80::1%eth0', '::g', `${'0'.repeat(50)}::1`, '[::1]']) {
    t.equal(canonicalHost(text), null, text);
  }
});

t.test('endpoints are read with and without brackets, port and default port', async t => {
  t.strictSame(parseEndpoint('1.2.3.4:80'), { host: '1.2.3.4', port: 80 });
  t.strictSame(parseEndpoint('1.2.3.4', 6346), { host: '1.2.3.4', port: 6346 });
  t.strictSame(parseEndpoint('[::1]:80'), { host: '::1', port: 80 });
  t.strictSame(parseEndpoint('[::1]', 6346), { host: '::1', port: 6346 });
  t.strictSame(parseEndpoint('::1', 6346), { host: '::1', port: 6346 });
  t.strictSame(parseEndpoint('[::ffff:1.2.3.4]:80'), { host: '1.2.3.4', port: 80 });
  const bad = ['1.2.3.4', '::1', '[::1]', '1.2.3.4:', '1.2.3.4:0', '1.2.3.4:65536', '1.2.3.4:-1', '1.2.3.4:1e3'];
  for (const text of [...bad, '[1.2.3.4]:80', '[::1', '[::1]80', '[::1]:', 'a.example:80', ':80', '', ' 1.2.3.4:80']) {
    t.throws(() => parseEndpoint(text), { code: 'ENDPOINT_MALFORMED' }, text);
  }
});

t.test('any text is an endpoint or none, and never an exception', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'[]:.0129afg%') })), text => {
      const value = endpointOrNull(text, 1);
      return value === null || formatEndpoint(value).length > 0;
    }),
    { numRuns: 2000 },
  );
});

t.test('a list leaves out what is no endpoint and cuts the dates of old servents', async t => {
  t.strictSame(
    parseEndpointList('1.2.3.4:5, [::1]:6 ,x:1,,7.7.7.7,8.8.8.8:99999, 9.9.9.9:10 2004-01-01T00:00Z,', 6346).map(
      formatEndpoint,
    ),
    ['1.2.3.4:5', '[::1]:6', '7.7.7.7:6346', '9.9.9.9:10'],
  );
  t.strictSame(parseEndpointList(''), []);
  t.strictSame(parseEndpointList('7.7.7.7'), [], 'no port, no default');
  t.equal(parseEndpointList('1.2.3.4:5,'.repeat(5000)).length, ENDPOINTS_MAX);
  t.equal(parseEndpointList('1.2.3.4:5,'.repeat(9), 1, 3).length, 3);
});

t.test('the reach of an address follows its range', async t => {
  const reach = {
    loopback: ['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1'],
    private: ['10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.1.1', '100.64.0.1', 'fe80::1', 'fd00::1', 'fc00::1'],
    public: ['5.5.1.1', '8.8.8.8', '172.32.0.1', '179.1.1.1', '2a00:1450::1', '::ffff:8.8.8.8', '2002:505:101::1'],
    unusable: [
      ...['0.0.0.0', '0.1.2.3', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255', '192.88.99.1', '198.18.0.1'],
      ...['192.0.2.1', '198.51.100.7', '203.0.113.9', '192.0.0.1', '2001:db8::1', '::', 'ff02::1', '100::1'],
      ...['2002:7f00:1::', '2002:a00:1::1', '2002:c0a8:101::'],
      ...['', 'localhost', 'fe80::1%eth0', '1.2.3'],
    ],
  } as const;
  for (const [expected, hosts] of Object.entries(reach)) {
    for (const host of hosts) t.equal(reachOf(host), expected, host);
  }
});

t.test('the reach of IPv4 networks is that of their ranges in ipaddr.js', async t => {
  const reaches: Readonly<Record<string, string>> = {
    ...{ loopback: 'loopback', private: 'private', linkLocal: 'private', carrierGradeNat: 'private' },
    ...{ unicast: 'public', as112: 'public', amt: 'public' },
  };
  const wrong: string[] = [];
  const check = (first: number, second: number, third: number): void => {
    const host = `${first}.${second}.${third}.1`;
    const range = ipaddr.IPv4.parse(host).range();
    if (reachOf(host) !== (reaches[range] ?? 'unusable')) wrong.push(`${host} in ${range} is ${reachOf(host)}`);
  };
  for (let network = 0; network < 0x10000; network++) check(network >>> 8, network & 0xff, 255);
  // with special ranges of 256 addresses
  for (const [first, second] of [192, 198, 203].flatMap(first =>
    [0, 31, 51, 52, 88, 175].map(n => [first, n] as const),
  )) {
    for (let third = 0; third < 256; third++) check(first, second, third);
  }
  t.strictSame(wrong, []);
});

t.test('an address without a port means port 6346, whatever form it has', async t => {
  const meant = {
    '1.2.3.4': '1.2.3.4:6346',
    '1.2.3.4:7': '1.2.3.4:7',
    ' 1.2.3.4 ': '1.2.3.4:6346',
    '::1': '[::1]:6346',
    '[::1]': '[::1]:6346',
    '[::1]:7': '[::1]:7',
    '2001:DB8::7': '[2001:db8::7]:6346',
    '::ffff:1.2.3.4': '1.2.3.4:6346',
    'Servent.Example': 'servent.example:6346',
    'servent.example.:7': 'servent.example.:7',
    'nas_1:7': 'nas_1:7',
    localhost: 'localhost:6346',
    'münchen.example': 'münchen.example:6346',
  };
  for (const [text, address] of Object.entries(meant)) t.equal(addressOrNull(text), address, text);
});

t.test('what is no address is none: half addresses, words, URLs, and IPv6 that could mean two things', async t => {
  const nonsense = ['', ' ', ':', ':6346', '1.2.3', '1.2.3.4.5', '256.1.1.1', '1.2.3.4:', '1.2.3.4:0', '1.2.3.4:65536'];
  const more = ['1.2.3.4:x', '::1:6346', '2001:db8::1:7', '[::1', '[::1]x', '[1.2.3.4]:1', 'fe80::1%eth0', 'a b:1'];
  const words = [
    'nonsense',
    'x:y',
    'a..b:1',
    'http://a.example/',
    '-:1',
    'a.example/b',
    '6346',
    'a\u0000.b',
    `${'a'.repeat(254)}:1`,
  ];
  for (const text of [...nonsense, ...more, ...words]) t.equal(addressOrNull(text), null, JSON.stringify(text));
  fc.assert(
    fc.property(fc.string(), text => {
      const address = addressOrNull(text);
      return address === null || addressOrNull(address) === address;
    }),
  );
});
