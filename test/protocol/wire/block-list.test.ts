import fc from 'fast-check';
import t from 'tap';
import { type AddressRange, BlockedRanges, BlockList } from '../../../protocol/wire/block-list.ts';
import { parseBlockList, rangeOfAddresses } from '../../../protocol/wire/block-list-text.ts';
import { packIpv6 } from '../../../protocol/wire/endpoint.ts';

// few distinct values, so that ranges meet, overlap and touch
const octet = fc.constantFrom(0, 1, 2, 127, 128, 254, 255);
const v4 = fc.tuple(octet, octet, octet, octet).map(octets => octets.join('.'));
const v6 = fc
  .tuple(...Array.from({ length: 3 }, () => fc.constantFrom(0, 1, 0x7fff, 0xfffe, 0xffff)))
  .map(words => `2001:${words.map(word => word.toString(16)).join(':')}::1`);
const address = fc.oneof(v4, v6);

const order = (a: string, b: string) => packIpv6(a).compare(packIpv6(b));
const range = fc
  .oneof(fc.tuple(v4, v4), fc.tuple(v6, v6))
  .map(([a, b]): AddressRange => (order(a, b) <= 0 ? { from: a, to: b } : { from: b, to: a }));
const ipv6Canonical = (host: string) => rangeOfAddresses(host)?.from ?? host;

t.test('an address is blocked exactly when one of the ranges has it', async () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), fc.array(address, { maxLength: 12 }), (ranges, others) => {
      const blocked = new BlockedRanges(ranges);
      const list = new BlockList();
      list.replace([{ name: 'x', ranges: blocked }]);
      return [...others, ...ranges.flatMap(({ from, to }) => [from, to])].every(host => {
        const naive = ranges.some(
          ({ from, to }) => from.includes(':') === host.includes(':') && order(from, host) <= 0 && order(host, to) <= 0,
        );
        return list.blocks(host) === naive && blocked.has(ipv6Canonical(host)) === naive;
      });
    }),
    { numRuns: 500 },
  );
});

t.test('a block of any length has its first and last address, and not those beside them', async t => {
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (host, bits) => {
      const number = host.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
      const size = 2 ** (32 - bits);
      const first = Math.floor(number / size) * size;
      const text = (n: number) => [24, 16, 8, 0].map(shift => Math.floor(n / 2 ** shift) % 256).join('.');
      const block = rangeOfAddresses(`${host}/${bits}`);
      return block?.from === text(first) && block.to === text(first + size - 1);
    }),
  );
  t.strictSame(rangeOfAddresses('2001:db8::/33'), { from: '2001:db8::', to: '2001:db8:7fff:ffff:ffff:ffff:ffff:ffff' });
  t.strictSame(rangeOfAddresses('10.0.0.0/255.255.254.0'), { from: '10.0.0.0', to: '10.0.1.255' });
  for (const text of ['10.0.0.0/33', '::/129', '10.0.0.0/255.0.255.0', '10.0.0.2-10.0.0.1', '1.2.3.4-::1', 'x', ''])
    t.equal(rangeOfAddresses(text), null, text);
});

t.test('lists in every format, mixed, with comments and rubbish', async t => {
  const { ranges, unreadable } = parseBlockList(
    [
      '# comment',
      '10.1.0.0/16 # trailing',
      '10.2.3.4',
      '2001:db8::/32',
      'Some org: with: colons:10.3.0.0-10.3.0.255',
      '001.009.096.105 - 001.009.096.105 , 000 , DAT name',
      '010.004.000.000 - 010.004.255.255 , 200 , allowed by DAT',
      '10.5.0.0-10.5.0.9\r',
      'rubbish',
      '300.1.1.1',
      '',
    ].join('\n'),
  );
  t.equal(unreadable, 2);
  t.strictSame(ranges, [
    { from: '10.1.0.0', to: '10.1.255.255' },
    { from: '10.2.3.4', to: '10.2.3.4' },
    { from: '2001:db8::', to: '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff' },
    { from: '10.3.0.0', to: '10.3.0.255' },
    { from: '1.9.96.105', to: '1.9.96.105' },
    { from: '10.5.0.0', to: '10.5.0.9' },
  ]);
});

t.test('hits are counted by list, and go on after a reload', async t => {
  const list = new BlockList();
  t.equal(list.blocks('10.1.2.3'), false);
  const own = { name: 'own', ranges: new BlockedRanges([{ from: '10.1.0.0', to: '10.1.255.255' }]) };
  const other = { name: 'other', ranges: new BlockedRanges([{ from: '::1', to: '::1' }]) };
  list.replace([own, other]);
  t.equal(list.blockedBy('10.1.2.3'), 'own');
  t.equal(list.blockedBy('::ffff:10.1.2.3'), 'own', 'mapped addresses are the same address');
  t.equal(list.blockedBy('0:0::1'), 'other');
  list.replace([own]);
  t.equal(list.blocks('::1'), false);
  t.strictSame(list.sources, [{ name: 'own', ranges: 1, hits: 2 }]);
});

t.test('any text: no throw', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => parseBlockList(text).ranges.length <= text.length));
  const likely = fc.string({ unit: fc.constantFrom(...'0123456789./-:, ab\n#') });
  fc.assert(fc.property(likely, text => new BlockedRanges(parseBlockList(text).ranges).size >= 0));
});
