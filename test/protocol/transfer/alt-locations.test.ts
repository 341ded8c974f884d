import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  formatAltLocations,
  formatTlsBits,
  parseAltLocations,
  parseFirewalled,
} from '../../../protocol/transfer/alt-locations.ts';
import { readFixture } from '../../support/fixtures.ts';

type Address = [host: string, port: number];
interface Firewalled {
  guid: string;
  fwt?: number;
  address?: Address;
  proxies: [string, number, boolean][];
}
interface Vectors {
  x_alt_parse: { in: string; out: [string, number, boolean][] }[];
  x_falt_parse: { in: string; out: Firewalled | null }[];
  x_fw_node_info_parse: { in: string; out: Firewalled | null }[];
  bitnumbers: { indices: number[]; hex: string }[];
}

const vectors = readFixture<Vectors>('vectors/transfer-vectors.json');

t.test('X-Alt as the vectors say', async t => {
  for (const { in: text, out } of vectors.x_alt_parse) {
    t.strictSame(
      parseAltLocations(text).map(({ host, port, tls }) => [host, port, tls]),
      out,
      text,
    );
  }
});

t.test('X-Falt and X-FW-Node-Info as the vectors say', async t => {
  for (const { in: text, out } of [...vectors.x_falt_parse, ...vectors.x_fw_node_info_parse]) {
    const parsed = parseFirewalled(text);
    if (out === null || parsed === null) {
      t.equal(parsed, out, text);
      continue;
    }
    t.equal(parsed.serventGuid.toString('hex'), out.guid);
    t.equal(parsed.fwt, out.fwt ?? null);
    t.strictSame(parsed.address && [parsed.address.host, parsed.address.port], out.address ?? null);
    t.strictSame(
      parsed.pushProxies.map(({ host, port, tls }) => [host, port, tls]),
      out.proxies,
    );
  }
});

t.test('TLS bits as the vectors say', async t => {
  for (const { indices, hex } of vectors.bitnumbers) t.equal(formatTlsBits(indices), hex);
});

t.test('alternate locations are written as they are read', async t => {
  const location = fc.record(
    {
      host: fc.ipV4(),
      port: fc.integer({ min: 1, max: 65535 }),
      tls: fc.boolean(),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(location, { maxLength: 40 }), locations => {
      assert.deepEqual(parseAltLocations(formatAltLocations(locations)), locations);
    }),
  );
  t.equal(formatAltLocations([{ host: '::1', port: 6346, tls: false }]), '[::1]');
});

t.test('any text gives locations or none, never an exception, never many', async t => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), text => {
      assert.ok(parseAltLocations(text).length <= 100);
      parseFirewalled(`${'ab'.repeat(16)};${text}`);
    }),
  );
  t.equal(parseAltLocations('1.2.3.4,'.repeat(5000)).length, 100);
});
