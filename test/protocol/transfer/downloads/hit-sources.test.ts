import t from 'tap';
import { offerOf } from '../../../../protocol/transfer/downloads/hit-sources.ts';
import { PLAIN_SOURCE } from '../../../../protocol/transfer/downloads/source.ts';
import type { Endpoint } from '../../../../protocol/wire/endpoint.ts';
import { PLAIN_HIT } from '../../../../protocol/wire/query-hit.ts';
import { hitOf } from '../../../support/query-hits.ts';

const SHA1 = Buffer.alloc(20, 5);
const [open, inner] = [
  { host: '5.5.1.1', port: 6346 },
  { host: '10.0.0.1', port: 6347 },
];
const mayReach = ({ host }: Endpoint) => !host.startsWith('10.');
const record = { ...PLAIN_HIT, index: 7, name: 'moon.ogg', size: 9, sha1: SHA1 };

t.test('a record names the servent that has the file, with all that a fetch or a push needs', t => {
  const hit = { ...hitOf(1, 0, 1), endpoint: open, pushProxies: [open, inner] };
  const tigerRoot = Buffer.alloc(24, 6);
  t.strictSame(offerOf(hit, { ...record, tigerRoot, alternates: [inner, open] }, mayReach), {
    sha1: SHA1,
    sources: [
      {
        ...PLAIN_SOURCE,
        ...{ endpoint: open, serventGuid: Buffer.alloc(16, 1), push: false, pushProxies: [open] },
        ...{ rudp: null, relays: [], index: 7, name: 'moon.ogg' },
      },
    ],
    hearsay: [{ ...PLAIN_SOURCE, endpoint: open }],
    ...{ name: 'moon.ogg', size: 9, tigerRoot },
  });
  t.end();
});

t.test('GGEP FW says where a firewalled servent takes streams by UDP', t => {
  const at = (version: number, endpoint: Endpoint) =>
    offerOf({ ...hitOf(1, 0, 1), endpoint, ggep: [{ id: 'FW', payload: Buffer.from([version]) }] }, record, mayReach);
  t.match(at(1, open)?.sources, [{ rudp: open }]);
  t.match(at(9, open)?.sources, [{ rudp: null }], 'a version that nobody knows');
  t.match(at(1, inner)?.sources, [{ rudp: null }], 'an address that may not be reached');
  t.end();
});

t.test(
  'an address that must not be dialled on the word of others is reached by push; without a hash there is no offer',
  t => {
    const offer = offerOf({ ...hitOf(1, 0, 1), endpoint: inner }, record, mayReach);
    t.match(offer?.sources, [{ push: true }]);
    t.match(offerOf({ ...hitOf(1, 0, 1), endpoint: open, push: true }, record, mayReach)?.sources, [{ push: true }]);
    t.equal(offerOf(hitOf(1, 0, 1), { ...record, sha1: null }, mayReach), null);
    t.end();
  },
);
