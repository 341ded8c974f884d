import assert from 'node:assert/strict';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { encodeGgep } from '../../../protocol/wire/ggep.ts';
import {
  ALTERNATES_MAX,
  encodeQueryHit,
  type Hit,
  PLAIN_HIT,
  PLAIN_QUERY_HIT,
  parseQueryHit,
  type QueryHit,
  serventGuidOf,
} from '../../../protocol/wire/query-hit.ts';
import { PUSH_PROXIES_MAX } from '../../../protocol/wire/query-hit-trailer.ts';
import { base32OrNull, formatBase32 } from '../../../protocol/wire/urn.ts';
import { type Capture, readCaptures } from '../../support/captures.ts';
import { readFixture } from '../../support/fixtures.ts';
import { vectorPayload } from '../../support/vectors.ts';
import {
  bytes,
  endpoint,
  endpoints,
  ggepItems,
  hostileBytes,
  ipv6,
  plain,
  text,
} from '../../support/wire-arbitraries.ts';

const serventGuid = Buffer.from('aabbccddeeff00112233445566778899', 'hex');
const none = Buffer.alloc(0);

/** The hits of one capture, as payloads. */
function hitsOf(capture: Capture): Buffer[] {
  return capture.descriptors.filter(({ bytes }) => bytes[16] === Type.QueryHit).map(({ bytes }) => bytes.subarray(23));
}

t.test('the hit of gtk-gnutella in the vectors is read, large file and push proxy included', async t => {
  const payload = vectorPayload('query_hit_gtkg', Type.QueryHit);
  const hit: QueryHit = {
    ...PLAIN_QUERY_HIT,
    endpoint: { host: '192.0.2.33', port: 6346 },
    speedKbps: 350,
    hits: [
      {
        ...PLAIN_HIT,
        index: 1,
        size: 3,
        name: 'abc.txt',
        sha1: base32OrNull('VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5'),
        createdAt: 1_262_304_000,
      },
      {
        ...PLAIN_HIT,
        index: 2,
        size: 5 * 2 ** 30,
        name: 'big file.iso',
        sha1: Buffer.from('00112233445566778899aabbccddeeff00112233', 'hex'),
      },
    ],
    vendor: 'GTKG',
    push: true,
    busy: false,
    uploaded: false,
    measured: true,
    browsable: true,
    pushProxies: [{ host: '198.51.100.7', port: 6348 }],
    serventGuid,
  };
  t.strictSame(parseQueryHit(payload), hit);
  t.strictSame(parseQueryHit(encodeQueryHit(hit)), hit);
  t.strictSame(serventGuidOf(payload), serventGuid);
  // the same bytes but for the first record's twin: its hash is in GGEP H there, in HUGE with us
  const one = encodeQueryHit({ ...hit, hits: hit.hits.slice(0, 1) });
  const end = payload.indexOf('02000000ffffffff', 11, 'hex');
  t.equal(one.toString('hex', 1, end), payload.toString('hex', 1, end));
  t.equal(one.toString('hex', end), payload.toString('hex', payload.length - (one.length - end)));
});

t.test('the hit of LimeWire in the vectors is read, XML and a byte before its GGEP included', async t => {
  const hit = parseQueryHit(vectorPayload('query_hit_limewire_xml', Type.QueryHit));
  t.strictSame(hit, {
    ...PLAIN_QUERY_HIT,
    endpoint: { host: '192.0.2.33', port: 6346 },
    speedKbps: 350,
    hits: [
      { ...PLAIN_HIT, index: 7, size: 3, name: 'abc.mp3', sha1: base32OrNull('VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5') },
    ],
    vendor: 'LIME',
    push: false,
    busy: false,
    uploaded: false,
    measured: true,
    browsable: true,
    xml: '<?xml version="1.0"?><audios/>',
    serventGuid,
  });
});

interface GtkgFixture {
  shared_files?: { name: string; size: number; sha1: string }[];
  answers?: { query: string; hits: number; results: number[] }[];
}

t.test('every captured hit of gtk-gnutella names the files it shares, and is written alike', async t => {
  let records = 0;
  let hits = 0;
  for (const capture of readCaptures().filter(({ servent }) => servent === 'gtk-gnutella')) {
    const { shared_files: shared = [] } = readFixture<GtkgFixture>(capture.file);
    for (const payload of hitsOf(capture)) {
      const queryHit = parseQueryHit(payload);
      hits++;
      t.equal(queryHit.malformed, 0);
      if (queryHit.vendor !== 'GTKG') continue; // the capture script's own
      t.equal(encodeQueryHit(queryHit).toString('hex'), payload.toString('hex'), capture.file);
      t.match(queryHit, { push: false, busy: false, uploaded: true, measured: null, browsable: true, tls: true });
      t.equal(queryHit.serventGuid.toString('hex'), '429231025910e7ac4009f72474c4f462');
      for (const { name, size, sha1, tigerRoot, createdAt, alternates } of queryHit.hits) {
        const file = shared.find(candidate => candidate.name === name);
        if (shared.length > 0) t.strictSame([size, formatBase32(sha1 ?? none)], [file?.size, file?.sha1], name);
        t.equal(tigerRoot?.length, 24);
        t.equal(createdAt, 1_748_773_405);
        if (name === 'gamma delta.movie.mkv' && capture.file.includes('query-hits')) t.equal(alternates.length, 2);
        records++;
      }
    }
  }
  t.strictSame({ hits, records }, { hits: 34, records: 48 });
});

t.test('every query of the captures got the hits that were noted', async t => {
  for (const capture of readCaptures().filter(({ file }) => file.includes('query-hits-'))) {
    const { answers = [] } = readFixture<GtkgFixture>(capture.file);
    const queries = capture.descriptors.filter(({ bytes, from }) => from === 'peer' && bytes[16] === Type.Query);
    t.equal(queries.length, answers.length);
    for (const [i, { query, results }] of answers.entries()) {
      const guid = queries[i]?.bytes.subarray(0, 16) ?? none;
      const got = capture.descriptors
        .filter(({ bytes }) => bytes[16] === Type.QueryHit && bytes.subarray(0, 16).equals(guid))
        .map(({ bytes }) => parseQueryHit(bytes.subarray(23)).hits.length);
      t.strictSame(got, results, `${capture.file}: ${query}`);
    }
  }
});

t.test('every captured hit of LimeWire names the files it shares', async t => {
  const { files } = readFixture<{ files: Record<string, { urn: string; size: number }> }>('limewire/http.json');
  let records = 0;
  for (const capture of readCaptures().filter(({ servent }) => servent === 'limewire')) {
    for (const payload of hitsOf(capture)) {
      const queryHit = parseQueryHit(payload);
      t.equal(queryHit.malformed, 0);
      t.strictSame(parseQueryHit(encodeQueryHit(queryHit)), queryHit, 'nothing read is lost in writing');
      if (queryHit.vendor !== 'LIME') continue;
      t.match(queryHit, {
        push: true,
        busy: false,
        uploaded: false,
        measured: false,
        browsable: true,
        tls: true,
        xml: null,
      });
      for (const { name, size, sha1 } of queryHit.hits) {
        t.strictSame([size, `urn:sha1:${formatBase32(sha1 ?? none)}`], [files[name]?.size, files[name]?.urn], name);
        records++;
      }
    }
  }
  t.equal(records, 18);
});

t.test('hits of MLDonkey and gnutella-bun are read', async t => {
  const captures = readCaptures();
  const [mldonkey, ours] = captures
    .filter(({ servent }) => servent === 'mldonkey')
    .flatMap(hitsOf)
    .map(parseQueryHit);
  t.match(mldonkey, { vendor: 'MLDK', speedKbps: 1300, push: null, busy: null, hits: [{ index: 2, size: 400_000 }] });
  const [hit] = mldonkey?.hits ?? [];
  t.equal(hit?.name, 'heron lagoon survey.ogg');
  t.equal(formatBase32(hit?.sha1 ?? none), 'HVSQOWZIQZ2K53ZHZCQJDY44C7GKZZNV');
  t.equal(formatBase32(hit?.tigerRoot ?? none), '5OAD3LULACBZVEBVTHOHPHT7J3YEBN7ZCDKIKFI', 'from a bitprint');
  t.equal(ours?.vendor, 'TEST');

  const bun = captures.filter(({ servent }) => servent === 'gnutella-bun').flatMap(hitsOf);
  for (const payload of bun) {
    const queryHit = parseQueryHit(payload);
    t.match(queryHit, { vendor: 'GBUN', push: false, measured: true, browsable: true, malformed: 0 });
    if (queryHit.hits.length > 0) t.match(queryHit.hits, [{ name: 'big.bin', size: 2 ** 30 }]);
    // asked with GGEP H it sends the hash twice: we do not
    if (!payload.includes(Buffer.from('\xc3\x81H', 'latin1'))) {
      t.equal(encodeQueryHit(queryHit).toString('hex'), payload.toString('hex'));
    }
  }
  t.equal(bun.length, 4);
});

const hit: fc.Arbitrary<Hit> = fc.record(
  {
    index: fc.nat(0xffffffff),
    size: fc.oneof(fc.maxSafeNat(), fc.integer({ min: 2 ** 31 - 2, max: 2 ** 31 + 2 }), fc.constant(2 ** 32 - 1)),
    name: text,
    sha1: fc.option(bytes(20)),
    tigerRoot: fc.option(bytes(24)),
    createdAt: fc.option(fc.nat(2 ** 32)),
    alternates: endpoints(ALTERNATES_MAX),
    ggep: ggepItems,
    note: fc.constant(null),
  },
  plain,
);
const flag = fc.option(fc.boolean());
const queryHit: fc.Arbitrary<QueryHit> = fc
  .record(
    {
      endpoint,
      ipv6: fc.option(ipv6),
      speedKbps: fc.nat(0xffffffff),
      hits: fc.array(hit, { maxLength: 6 }),
      vendor: fc.constantFrom('SRVT', 'GTKG', 'LIME'),
      push: flag,
      busy: flag,
      uploaded: flag,
      measured: flag,
      browsable: fc.boolean(),
      tls: fc.boolean(),
      pushProxies: endpoints(PUSH_PROXIES_MAX),
      ggep: ggepItems,
      xml: fc.option(text.map(body => `<?xml ${body}`)),
      serventGuid: bytes(16),
      malformed: fc.constant(0),
    },
    plain,
  )
  .map(value => ({ ...value, ipv6: value.endpoint.host.includes(':') ? null : value.ipv6 }));

t.test('what is written is read', async () => {
  fc.assert(
    fc.property(queryHit, value => {
      assert.deepEqual(parseQueryHit(encodeQueryHit(value)), value);
    }),
    { numRuns: 300 },
  );
});

t.test('a hit cut anywhere is refused or shorter, never an accident', async () => {
  fc.assert(
    fc.property(queryHit, fc.nat(), (value, cut) => {
      const payload = encodeQueryHit(value);
      try {
        parseQueryHit(payload.subarray(0, cut % payload.length));
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
  );
});

t.test('any bytes are a query hit or a ProtocolError', async () => {
  const record = Buffer.from('010000000300000061626300', 'hex');
  fc.assert(
    fc.property(fc.nat(4), fc.oneof(bytes(0, 120), hostileBytes), fc.boolean(), (count, tail, framed) => {
      const head = Buffer.alloc(11);
      head[0] = count;
      const start = framed ? Buffer.concat([head, record]) : head;
      try {
        const { hits } = parseQueryHit(Buffer.concat([start, tail, serventGuid]));
        assert.equal(hits.length, count);
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 5000 },
  );
});

function one(name: string, extensions: Buffer, trailer: Buffer): QueryHit {
  const head = Buffer.from('01ca18010203040a000000', 'hex');
  const numbers = Buffer.from('01000000ffffffff', 'hex');
  return parseQueryHit(
    Buffer.concat([head, numbers, Buffer.from(`${name}\0`), extensions, Buffer.alloc(1), trailer, serventGuid]),
  );
}

t.test('sizes over 4 GiB come from LF, whole and safe', async t => {
  const lf = (hex: string): number | undefined => one('x', Buffer.from(hex, 'hex'), none).hits[0]?.size;
  t.equal(lf('c3c24c4646010101034001'), 5 * 2 ** 30);
  t.equal(lf('c3824c4647ffffffffffff1f'), 2 ** 53 - 1);
  t.equal(lf('c3824c464701010101010120'), 0xffffffff, 'more than a safe integer: the field stands');
  t.equal(lf('c3824c4640'), 0xffffffff, 'nothing');
  t.equal(one('x', Buffer.from('c3824c4640', 'hex'), none).malformed, 1);
  t.equal(lf(''), 0xffffffff);
});

t.test('é is no GGEP, in names, old extensions and XML', async t => {
  const xml = Buffer.from('<?xml version="1.0"?><audio title="é\u00c2SO@"/>\0');
  const trailer = Buffer.concat([Buffer.from('4c494d45043c21', 'hex'), Buffer.of(xml.length, 0, 1), xml]);
  const hit = one('été.txt', Buffer.from('128 kbps é'), trailer);
  t.equal(hit.hits[0]?.name, 'été.txt');
  t.equal(hit.xml, xml.toString('utf8', 0, xml.length - 1));
  t.equal(hit.malformed, 0);
  t.strictSame(hit.ggep, []);
});

t.test('a name that is no UTF-8 is read as Latin-1', async t => {
  const payload = encodeQueryHit({
    ...PLAIN_QUERY_HIT,
    endpoint: { host: '1.2.3.4', port: 1 },
    speedKbps: 0,
    hits: [{ ...PLAIN_HIT, index: 0, size: 0, name: 'AtA' }],
    vendor: 'TEST',
    serventGuid,
  });
  t.equal(parseQueryHit(Buffer.from(payload.toString('hex').replace('417441', 'e974e9'), 'hex')).hits[0]?.name, 'été');
});

t.test('XML is had from all its wrappings, within bounds', async t => {
  const xmlOf = (field: Buffer): string | null => {
    const size = Buffer.alloc(2);
    size.writeUInt16LE(field.length);
    return one('x', none, Buffer.concat([Buffer.from('4c494d45043c21', 'hex'), size, field])).xml;
  };
  t.equal(xmlOf(Buffer.from('<a/>\0')), '<a/>');
  t.equal(xmlOf(Buffer.from('<a/>')), '<a/>');
  t.equal(xmlOf(Buffer.from('{plaintext}<a/>\0')), '<a/>');
  t.equal(xmlOf(Buffer.from('{}\0')), null);
  t.equal(xmlOf(Buffer.from('{}<a/>\0')), '<a/>');
  t.equal(xmlOf(Buffer.from('{gzip}x\0')), null);
  const deflated = (body: Buffer): Buffer =>
    Buffer.concat([Buffer.from('{deflate}'), deflateSync(body), Buffer.alloc(1)]);
  t.equal(xmlOf(deflated(Buffer.from('<a/>'))), '<a/>');
  t.equal(xmlOf(deflated(Buffer.alloc(32_769))), null, 'more than we inflate');
  t.equal(xmlOf(Buffer.from('{deflate}no zlib\0')), null);
});

t.test('flags that the servent did not set are unknown', async t => {
  const flags = (enablers: number, setters: number) => {
    const { push, busy, uploaded, measured } = one(
      'x',
      none,
      Buffer.from([0x54, 0x45, 0x53, 0x54, 2, enablers, setters]),
    );
    return [push, busy, uploaded, measured];
  };
  t.strictSame(flags(0, 0), [null, null, null, null]);
  t.strictSame(flags(0x3c, 0x21), [false, false, false, false], 'not firewalled');
  t.strictSame(flags(0x3d, 0x21), [true, false, false, false], 'firewalled');
  t.strictSame(flags(0x1c, 0x1d), [false, true, true, true]);
  t.strictSame(flags(0x01, 0x1c), [null, null, null, null], 'push is valid by the setter, the others by the enabler');
  t.strictSame(one('x', none, Buffer.from('5445535400', 'hex')).push, null, 'no open data');
  t.equal(one('x', none, none).vendor, '', 'no trailer');
  t.throws(() => one('x', none, Buffer.from('54455354053c21', 'hex')), { code: 'WIRE_TRUNCATED' });
});

t.test('lists are bounded', async t => {
  const many = (count: number) => new Array(count).fill({ host: '1.2.3.4', port: 5 });
  const base = {
    ...PLAIN_QUERY_HIT,
    endpoint: { host: '1.2.3.4', port: 1 },
    speedKbps: 0,
    vendor: 'TEST',
    serventGuid,
  };
  const record = { ...PLAIN_HIT, index: 0, size: 0, name: '', alternates: many(20) };
  const hit = parseQueryHit(encodeQueryHit({ ...base, hits: [record], pushProxies: many(20) }));
  t.equal(hit.hits[0]?.alternates.length, ALTERNATES_MAX);
  t.equal(hit.pushProxies.length, PUSH_PROXIES_MAX);
  const alt = Buffer.concat([Buffer.from('c383414c548274', 'hex'), Buffer.alloc(6 * 30, 1)]);
  t.equal(one('x', alt, none).hits[0]?.alternates.length, ALTERNATES_MAX);
  t.equal(parseQueryHit(encodeQueryHit({ ...base, hits: new Array(255).fill(record) })).hits.length, 255);
  t.throws(() => encodeQueryHit({ ...base, hits: new Array(256).fill(record) }), RangeError);
});

t.test('a count that the payload cannot hold is refused before anything is read', async t => {
  const payload = Buffer.alloc(11 + 16 + 100);
  payload[0] = 200;
  t.throws(() => parseQueryHit(payload), { code: 'WIRE_TRUNCATED' });
  t.throws(() => parseQueryHit(Buffer.alloc(26)), { code: 'WIRE_TRUNCATED' });
  t.equal(parseQueryHit(Buffer.alloc(27)).hits.length, 0, 'no record at all: browse answers of an empty library');
});

t.test('one message cannot make us inflate more than its budget', async t => {
  const bomb = encodeGgep([{ id: 'X', payload: Buffer.alloc(60_000, 1) }], { cobs: true, deflate: true });
  const record = Buffer.concat([Buffer.from('010000000100000000', 'hex'), bomb, Buffer.alloc(1)]);
  const head = Buffer.alloc(11);
  head[0] = 100;
  const hit = parseQueryHit(Buffer.concat([head, ...new Array<Buffer>(100).fill(record), serventGuid]));
  t.equal(hit.hits.length, 100);
  t.equal(hit.hits[0]?.ggep[0]?.payload.length, 60_000);
  t.equal(hit.malformed, 99);
});

t.test('what cannot be written is our own fault', async t => {
  const base = {
    ...PLAIN_QUERY_HIT,
    endpoint: { host: '1.2.3.4', port: 1 },
    speedKbps: 0,
    vendor: 'TEST',
    serventGuid,
  };
  const record = { ...PLAIN_HIT, index: 0, size: 0, name: 'a\0b' };
  t.throws(() => encodeQueryHit({ ...base, hits: [record] }), RangeError);
  t.throws(() => encodeQueryHit({ ...base, hits: [], vendor: 'LONGER' }), RangeError);
  t.throws(() => encodeQueryHit({ ...base, hits: [], serventGuid: none }), RangeError);
  t.throws(() => encodeQueryHit({ ...base, hits: [], xml: 'x'.repeat(65_535) }), RangeError);
});
