// Random values of the wire types, for property tests.
import fc from 'fast-check';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { unpackIpv4, unpackIpv6 } from '../../protocol/wire/endpoint.ts';
import type { GgepItem } from '../../protocol/wire/ggep.ts';

/** Buffers of random bytes. */
export function bytes(lengthMin: number, lengthMax = lengthMin): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength: lengthMin, maxLength: lengthMax }).map(array => Buffer.from(array));
}

/** For fc.record: objects like those of the codecs, not null-prototype ones. */
export const plain = { noNullPrototype: true } as const;

export const port = fc.integer({ min: 1, max: 65_535 });
export const ipv4 = bytes(4).map(address => unpackIpv4(address, 0));
/** Never IPv4-mapped: that would come back as IPv4. */
export const ipv6 = bytes(16)
  .filter(address => address.subarray(0, 10).some(octet => octet !== 0))
  .map(address => unpackIpv6(address, 0));
export const endpoint4: fc.Arbitrary<Endpoint> = fc.record({ host: ipv4, port }, plain);
export const endpoint6: fc.Arbitrary<Endpoint> = fc.record({ host: ipv6, port }, plain);
export const endpoint = fc.oneof(endpoint4, endpoint6);
/** As packed lists carry them: all IPv4 first. */
export function endpoints(lengthMax: number): fc.Arbitrary<Endpoint[]> {
  return fc
    .tuple(fc.array(endpoint4, { maxLength: lengthMax / 2 }), fc.array(endpoint6, { maxLength: lengthMax / 2 }))
    .map(([v4, v6]) => [...v4, ...v6]);
}

/** Ids that no codec gives a meaning to, payloads with and without NULs. */
export const ggepItem: fc.Arbitrary<GgepItem> = fc.record(
  {
    id: fc.string({ unit: fc.constantFrom(...'XYZxyz01.'), minLength: 3, maxLength: 15 }),
    payload: fc.oneof(bytes(0, 20), bytes(250, 600), fc.constant(Buffer.alloc(300))),
  },
  plain,
);
export const ggepItems = fc.array(ggepItem, { maxLength: 5 });

/** Any text without NUL. */
export const text = fc.string({ unit: 'grapheme', maxLength: 60 }).filter(value => !value.includes('\0'));

/** Bytes of which many look like fields, blocks and terminators: random ones alone seldom get past the first check. */
export const hostileBytes: fc.Arbitrary<Buffer> = fc
  .array(
    fc.oneof(
      bytes(0, 12),
      fc.constantFrom(
        ...[
          'c3',
          'c382534f40',
          'c3c14856020110112233445566778899aabbccddeeff04112233',
          'c3a149489c6bf6ef0200',
          'c3a1494890789c03000000000141',
          '1c',
          '00',
          '1c1c1c',
          'ffffffff',
          '4c494d45043d21',
          '47544b47023c21',
          'c36109',
          'c38148bfbf7f',
          'c34f',
        ].map(hex => Buffer.from(hex, 'hex')),
        Buffer.from('urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB'),
        Buffer.from('URN:BITPRINT:x'),
        Buffer.from('<?xml é'),
        Buffer.from('{deflate}x'),
      ),
    ),
    { maxLength: 30 },
  )
  .map(parts => Buffer.concat(parts));
