import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  formatAltLocations,
  parseAltLocations,
  parseLegacyLocations,
} from '../../../../protocol/transfer/mesh/alt-locations.ts';
import {
  formatFirewalled,
  parseFirewalled,
  parseFirewalledList,
} from '../../../../protocol/transfer/mesh/firewalled-location.ts';
import { formatTlsBits } from '../../../../protocol/transfer/mesh/tls-bits.ts';
import { formatSha1Urn } from '../../../../protocol/wire/urn.ts';
import { readFixture } from '../../../support/fixtures.ts';

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

t.test('firewalled locations: written as they are read, in lists, and any text is read', async () => {
  const text = '9DBC52EEEBCA2C8A79036D626B959900;fwt/1;26252:85.182.49.3;pptls=C;69.12.88.95:1085;64.53.20.48:804';
  const [first, second, ...others] = parseFirewalledList(`${text}, nonsense, 7d9af85c55f9543be4da8ae9d7b1944f`);
  if (first === undefined || second === undefined) throw new Error('two locations');
  assert.equal(others.length, 0);
  assert.equal(formatFirewalled(first), text);
  assert.equal(formatFirewalled(second), '7D9AF85C55F9543BE4DA8AE9D7B1944F');
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f]{32}(;[a-z0-9:./=]{0,20}){0,40}$/)), any => {
      const parsed = parseFirewalled(any);
      if (parsed !== null) assert.deepEqual(parseFirewalled(formatFirewalled(parsed))?.pushProxies, parsed.pushProxies);
    }),
  );
});

t.test('legacy locations: of this file, by hash, whatever the date', async t => {
  const sha1 = Buffer.alloc(20, 1);
  const at = (host: string, urn = formatSha1Urn(sha1)) => `http://${host}/uri-res/N2R?${urn}`;
  t.strictSame(
    parseLegacyLocations(
      [
        `${at('192.0.2.1:6348')} 2002-04-30T08:30Z`,
        at('192.0.2.2'),
        at('192.0.2.3:1', formatSha1Urn(Buffer.alloc(20, 2))),
        'http://192.0.2.4:6346/get/1/x 2002-04-30T08:30Z',
        at('victim.example'),
        'nonsense',
      ].join(', '),
      sha1,
    ),
    [
      { host: '192.0.2.1', port: 6348, tls: false },
      { host: '192.0.2.2', port: 80, tls: false },
    ],
  );
});
