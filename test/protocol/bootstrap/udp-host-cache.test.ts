import fc from 'fast-check';
import t from 'tap';
import { GwebCache, PRIVATE_CACHE_RULES, PUBLIC_CACHE_RULES } from '../../../protocol/bootstrap/gwebcache.ts';
import {
  PRIVATE_UDP_CACHE_RULES,
  PUBLIC_UDP_CACHE_RULES,
  UdpHostCache,
} from '../../../protocol/bootstrap/udp-host-cache.ts';
import { HEADER_BYTES, Type } from '../../../protocol/constants.ts';
import { formatEndpoint } from '../../../protocol/wire/endpoint.ts';
import { markGuid } from '../../../protocol/wire/guid.ts';
import { encodeDescriptor } from '../../../protocol/wire/header.ts';
import { encodePing, ScpFlag } from '../../../protocol/wire/ping.ts';
import { encodePong, PLAIN_PONG, parsePong } from '../../../protocol/wire/pong.ts';

const names = { network: 'gnutella', name: 'LabCache 1' };

function random() {
  let n = 0;
  return { below: () => 0, fill: () => {}, guid: () => markGuid(Buffer.alloc(16, ++n)) };
}

function host(lab = true) {
  const cache = new GwebCache({ ...(lab ? PRIVATE_CACHE_RULES : PUBLIC_CACHE_RULES), ...names });
  const rules = lab ? PRIVATE_UDP_CACHE_RULES : PUBLIC_UDP_CACHE_RULES;
  return { cache, udp: new UdpHostCache({ cache, rules, random: random(), own: { host: '127.0.0.1', port: 9 } }) };
}

const ping = (scp: number | null) =>
  encodeDescriptor(Buffer.alloc(16, 0xaa), Type.Ping, 1, 0, encodePing({ supportsCachedPongs: scp, ggep: [] }));
const pong = (guid: Buffer, port: number, ultrapeer = true) => {
  const endpoint = { host: '127.0.0.1', port };
  const payload = encodePong({ ...PLAIN_PONG, endpoint, files: 0, kibibytes: 0, ultrapeer });
  return encodeDescriptor(guid, Type.Pong, 1, 0, payload);
};
const hostsOf = (bytes: Buffer | undefined) =>
  bytes === undefined ? [] : parsePong(bytes.subarray(HEADER_BYTES)).hosts.map(formatEndpoint);

t.test('who asks is asked back, and listed at the port that it names once it has answered', async t => {
  const { udp } = host();
  const first = { host: '127.0.0.1', port: 7001 };
  const [answer, probe] = udp.receive(ping(ScpFlag.Ultrapeer), first, 0);
  t.equal(answer?.bytes.subarray(0, 16).toString('hex'), 'aa'.repeat(16), 'under the GUID of the question');
  t.strictSame(hostsOf(answer?.bytes), []);
  t.equal(parsePong((answer?.bytes ?? Buffer.alloc(0)).subarray(HEADER_BYTES)).udpHostCache, '');
  t.equal(probe?.bytes[16], Type.Ping);
  t.ok((probe?.bytes.length ?? 99) < ping(1).length, 'a forged sender is sent less than was sent for it');
  const guid = (probe?.bytes ?? Buffer.alloc(0)).subarray(0, 16);
  t.strictSame(udp.receive(pong(guid, 7001), first, 10), []);

  const second = { host: '127.0.0.1', port: 7002 };
  t.strictSame(hostsOf(udp.receive(ping(0), second, 20)[0]?.bytes), ['127.0.0.1:7001']);
  t.equal(udp.receive(ping(0), first, 30).length, 1, 'not asked again while fresh');
  t.strictSame(hostsOf(udp.receive(ping(0), first, 40)[0]?.bytes), [], 'nobody is told of itself');
});

t.test('pongs of strangers, late ones and those from another port list nobody', async t => {
  const { udp, cache } = host();
  const from = { host: '127.0.0.1', port: 7001 };
  const [, probe] = udp.receive(ping(1), from, 0);
  const guid = (probe?.bytes ?? Buffer.alloc(0)).subarray(0, 16);
  udp.receive(pong(Buffer.alloc(16, 9), 7001), from, 1);
  udp.receive(pong(guid, 7001), { host: '127.0.0.1', port: 7009 }, 2);
  udp.receive(pong(guid, 7001), from, 60_000);
  t.strictSame(cache.hosts(60_000), []);
  t.equal(udp.counters.ignored, 3);
});

t.test('leaves are named only while no ultrapeer is known', async t => {
  const { cache } = host();
  cache.add({ host: '127.0.0.1', port: 1 }, 0, false);
  t.strictSame(cache.hosts(0), [{ host: '127.0.0.1', port: 1 }]);
  cache.add({ host: '127.0.0.1', port: 2 }, 0, true);
  t.strictSame(cache.hosts(0), [{ host: '127.0.0.1', port: 2 }]);
});

t.test('an open cache answers an address once a minute, and all of them at most 20 times a second', async t => {
  const { udp } = host(false);
  t.equal(udp.receive(ping(1), { host: '5.5.1.1', port: 6346 }, 0).length, 2);
  t.equal(udp.receive(ping(1), { host: '5.5.1.1', port: 6346 }, 59_000).length, 0);
  t.equal(udp.receive(ping(1), { host: '5.5.1.1', port: 6346 }, 60_000).length, 2);
  let answered = 0;
  for (let n = 0; n < 100; n++) answered += udp.receive(ping(1), { host: `5.5.2.${n}`, port: 1 }, 70_000).length / 2;
  t.equal(answered, 20);
});

t.test('no answer is longer than 508 bytes, and each family is sent to who wants it', async t => {
  const { udp, cache } = host();
  for (let n = 1; n <= 60; n++) cache.add({ host: `2001:4860::${n.toString(16)}`, port: n }, 0);
  for (let n = 1; n <= 60; n++) cache.add({ host: `5.5.1.${n}`, port: n }, 0);
  const ask = (scp: number, from = '127.0.0.1') => udp.receive(ping(scp), { host: from, port: 1 }, 0)[0]?.bytes;
  t.equal(hostsOf(ask(0)).length, 30);
  t.ok(hostsOf(ask(ScpFlag.Ipv6 | ScpFlag.NoIpv4)).every(host => host.startsWith('[')));
  t.not(hostsOf(ask(ScpFlag.Ipv6 | ScpFlag.NoIpv4)).length, 0);
  for (const scp of [0, 4, 12]) t.ok((ask(scp)?.length ?? 999) <= 508);
});

t.test('any datagram: no throw, at most two answers, none over 508 bytes', async () => {
  const { udp } = host();
  const from = fc.record({ host: fc.constantFrom('127.0.0.1', '5.5.1.1', '::1'), port: fc.nat(65_535) });
  const framed = fc
    .tuple(fc.constantFrom(0, 1, 0x80), fc.uint8Array({ maxLength: 80 }))
    .map(([type, payload]) => encodeDescriptor(Buffer.alloc(16), type, 1, 0, payload));
  const raw = fc.uint8Array({ maxLength: 100 }).map(bytes => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(framed, raw), from, fc.nat(1e6), (bytes, from, now) => {
      const out = udp.receive(bytes, from, now);
      return out.length <= 2 && out.every(({ bytes }) => bytes.length <= 508);
    }),
  );
});
