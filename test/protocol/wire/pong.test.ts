import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Type } from '../../../protocol/constants.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { parseGgep } from '../../../protocol/wire/ggep.ts';
import {
  encodePong,
  isUltrapeerSize,
  PLAIN_PONG,
  PONG_HOSTS_MAX,
  type Pong,
  parsePong,
} from '../../../protocol/wire/pong.ts';
import { readCaptures } from '../../support/captures.ts';
import { vectorPayload } from '../../support/vectors.ts';
import { bytes, endpoint, endpoints, ggepItems, hostileBytes, ipv6, plain } from '../../support/wire-arbitraries.ts';

t.test('the pongs of the vectors are read, and written alike but for the order of GGEP', async t => {
  const at = { endpoint: { host: '192.0.2.33', port: 6346 } };
  const vectors: Record<string, Pong> = {
    pong_plain: { ...PLAIN_PONG, ...at, files: 42, kibibytes: 123_457, ultrapeer: false },
    pong_ultrapeer_ggep: {
      ...PLAIN_PONG,
      ...at,
      files: 42,
      kibibytes: 131_072,
      ultrapeer: true,
      dailyUptimeS: 43_200,
      slots: { leaf: 12, ultrapeer: 3 },
      vendor: 'GTKG',
      vendorVersion: 0x12,
    },
    pong_echo_ip: {
      ...PLAIN_PONG,
      ...at,
      files: 0,
      kibibytes: 8,
      ultrapeer: true,
      ggep: [{ id: 'IP', payload: Buffer.from('cb007109409c', 'hex') }],
    },
  };
  for (const [name, pong] of Object.entries(vectors)) {
    const payload = vectorPayload(name, Type.Pong);
    t.strictSame(parsePong(payload), pong, name);
    const written = encodePong(pong);
    t.equal(written.length, payload.length);
    t.equal(written.toString('hex', 0, 14), payload.toString('hex', 0, 14));
    t.strictSame(parsePong(written), pong);
  }
});

t.test('every captured pong is read, and those of gtk-gnutella and plain ones are written alike', async t => {
  const seen = { servent: 0, peer: 0 };
  for (const { file, servent, descriptors } of readCaptures()) {
    for (const { from, bytes, note } of descriptors) {
      if (bytes[16] !== Type.Pong) continue;
      const payload = bytes.subarray(23);
      const pong = parsePong(payload);
      const about = `${file}: ${note}`;
      seen[from]++;
      t.match(pong.endpoint.host, /^5\.[56]\.\d+\.\d+$/, about);
      t.equal(pong.endpoint.port, 6346, about);
      const written = encodePong(pong);
      if (servent !== 'limewire') {
        t.equal(written.toString('hex'), payload.toString('hex'), about);
        continue;
      }
      // alphabetical, and version 0 of UP
      const ids = (block: Buffer): string[] => parseGgep(block, 14).items.map(item => item.id);
      t.strictSame(ids(written).sort(), ids(payload), about);
      t.strictSame(parsePong(written), pong, about);
    }
  }
  t.strictSame(seen, { servent: 32, peer: 3 });
});

t.test('the UDP host cache of gtk-gnutella hands out the hosts it was asked for', async t => {
  const { descriptors } = readCaptures().find(({ file }) => file === 'gtk-gnutella/udp.json') ?? { descriptors: [] };
  const pongs = descriptors.filter(({ bytes, from }) => from === 'servent' && bytes[16] === Type.Pong);
  for (const { bytes, note } of pongs) {
    const pong = parsePong(bytes.subarray(23));
    t.equal(pong.hosts.length, /SCP|GUESS/.test(note) ? 16 : 0, note);
    t.equal(pong.guess, 2, note);
  }
});

t.test('what is written is read', async () => {
  const pongs: fc.Arbitrary<Pong> = fc
    .record(
      {
        endpoint,
        ipv6: fc.option(ipv6),
        files: fc.nat(0xffffffff),
        kibibytes: fc.nat(0x7fffffff),
        ultrapeer: fc.boolean(),
        dailyUptimeS: fc.option(fc.nat(86_400)),
        slots: fc.option(fc.record({ leaf: fc.nat(255), ultrapeer: fc.nat(255) }, plain)),
        vendor: fc.option(fc.constantFrom('GTKG', 'LIME', 'SRVT')),
        vendorVersion: fc.nat(255),
        guess: fc.option(fc.nat(255)),
        tls: fc.boolean(),
        hosts: endpoints(20),
        udpHostCache: fc.option(fc.constantFrom('', 'cache.example.org')),
        ggep: fc.oneof(
          fc.constant([]),
          ggepItems.map(items => items.slice(0, 1)),
        ),
      },
      plain,
    )
    .map(pong => ({
      ...pong,
      // what the codec has no place for
      ipv6: pong.endpoint.host.includes(':') ? null : pong.ipv6,
      vendorVersion: pong.vendor === null ? 0 : pong.vendorVersion,
    }));
  fc.assert(
    fc.property(pongs, pong => {
      const { kibibytes, ...read } = parsePong(encodePong(pong));
      const { kibibytes: meant, ...written } = pong;
      assert.deepEqual(read, written);
      // ultrapeers say so by a power of two, leaves by none
      if (pong.ultrapeer) assert.ok(kibibytes === 8 || (kibibytes <= meant && kibibytes * 2 > meant));
      else assert.ok(kibibytes === meant || (isUltrapeerSize(meant) && kibibytes === meant + 1));
    }),
  );
});

t.test('a host without IPv4 is known by its IPv6 address, in the old form too', async t => {
  const payload = encodePong({
    ...PLAIN_PONG,
    endpoint: { host: '2001:db8::1', port: 6346 },
    files: 1,
    kibibytes: 1,
    ultrapeer: false,
  });
  t.equal(payload.toString('hex', 2, 6), '7f000000');
  t.strictSame(parsePong(payload).endpoint, { host: '2001:db8::1', port: 6346 });
  const old = Buffer.concat([
    payload.subarray(0, 14),
    Buffer.from('c389', 'hex'),
    Buffer.from('GTKG.IPV6'),
    Buffer.from('5020010db8000000000000000000000002', 'hex'),
  ]);
  t.strictSame(parsePong(old).endpoint, { host: '2001:db8::2', port: 6346 });
});

t.test('numbers that do not fit are capped', async t => {
  const pong = parsePong(
    encodePong({
      ...PLAIN_PONG,
      endpoint: { host: '1.2.3.4', port: 1 },
      files: 2 ** 40,
      kibibytes: 2 ** 40,
      ultrapeer: false,
      dailyUptimeS: 100_000,
      slots: { leaf: 300, ultrapeer: 256 },
    }),
  );
  t.equal(pong.files, 0xffffffff);
  t.equal(pong.kibibytes, 0x7fffffff);
  t.equal(pong.ultrapeer, false);
  t.equal(pong.dailyUptimeS, 86_400);
  t.strictSame(pong.slots, { leaf: 255, ultrapeer: 255 });
});

t.test('hosts of one pong are bounded', async t => {
  const hosts = new Array(PONG_HOSTS_MAX + 9).fill({ host: '1.2.3.4', port: 5 });
  const payload = encodePong({
    ...PLAIN_PONG,
    endpoint: { host: '1.2.3.4', port: 1 },
    files: 0,
    kibibytes: 0,
    ultrapeer: false,
    hosts,
  });
  t.equal(parsePong(payload).hosts.length, PONG_HOSTS_MAX);
});

t.test('short pongs and broken tails are refused', async t => {
  t.throws(() => parsePong(Buffer.alloc(13)), { code: 'WIRE_TRUNCATED' });
  t.throws(() => parsePong(Buffer.alloc(15)), { code: 'GGEP_MALFORMED' });
  t.throws(() => parsePong(Buffer.alloc(14 + 1537)), { code: 'GGEP_TOO_LONG' });
});

t.test('extensions with payloads that make no sense are passed over', async t => {
  // UP of one byte, DU of nine, VC of three, 6 of one, IPP of three, GUE of none
  const items = `c3025550410102445549${'01'.repeat(9)}025643434142430136410103495050430102038347554540`;
  const pong = parsePong(Buffer.concat([Buffer.alloc(14), Buffer.from(items, 'hex')]));
  t.strictSame(pong, {
    ...PLAIN_PONG,
    endpoint: { host: '0.0.0.0', port: 0 },
    files: 0,
    kibibytes: 0,
    ultrapeer: false,
    guess: 0,
  });
});

t.test('any bytes are a pong or a ProtocolError', async () => {
  fc.assert(
    fc.property(bytes(14), fc.oneof(bytes(0, 80), hostileBytes), (head, tail) => {
      try {
        parsePong(Buffer.concat([head, Buffer.of(0xc3), tail]));
      } catch (error) {
        assert.ok(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
