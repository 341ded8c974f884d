// Random values of the DHT, for property tests.
import fc from 'fast-check';
import type { DhtContact } from '../../protocol/dht/dht-contact.ts';
import type { DhtHeader } from '../../protocol/dht/dht-header.ts';
import type { DhtMessage } from '../../protocol/dht/dht-message.ts';
import { type DhtValue, ValueType } from '../../protocol/dht/dht-value.ts';
import type { StoreStatus } from '../../protocol/dht/store-status.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { bytes, endpoint4, endpoint6, plain, text } from './wire-arbitraries.ts';

export const kuid = bytes(20);
export const fourCharacters = bytes(4).map(four => four.toString('latin1'));

function contact(endpoint: fc.Arbitrary<Endpoint>): fc.Arbitrary<DhtContact> {
  return fc.record(
    {
      vendor: fourCharacters,
      version: fc.nat(65_535),
      kuid,
      endpoint: endpoint.filter(({ host }) => host !== '0.0.0.0'),
    },
    plain,
  );
}

export const dhtContact4 = contact(endpoint4);
export const dhtContact = fc.oneof(dhtContact4, contact(endpoint6));

const port0 = fc.nat(65_535);
const u8 = fc.nat(255);

export const dhtHeader: fc.Arbitrary<DhtHeader> = fc
  .record(
    { muid: bytes(16), contact: dhtContact4, instance: u8, firewalled: fc.boolean(), leaving: fc.boolean() },
    plain,
  )
  .chain(header =>
    port0.map(port => ({
      ...header,
      contact: { ...header.contact, endpoint: { ...header.contact.endpoint, port } },
      firewalled: header.firewalled || port === 0,
    })),
  );

export const dhtValue: fc.Arbitrary<DhtValue> = fc.record(
  {
    creator: dhtContact4,
    key: kuid,
    type: fc.oneof(fourCharacters, fc.constantFrom(...Object.values(ValueType))),
    version: fc.nat(65_535),
    data: fc.oneof(bytes(0, 100), bytes(511)),
  },
  plain,
);

const storeStatus: fc.Arbitrary<StoreStatus> = fc.record(
  { key: kuid, creator: kuid, code: fc.nat(65_535), text: fc.oneof(fc.constant(''), text) },
  plain,
);

const token = fc.oneof(bytes(4), bytes(0, 255));
const kuids = fc.array(kuid, { maxLength: 5 });
const values = fc.array(dhtValue, { maxLength: 4 });

/** Messages as they are written and read again without loss. */
export const dhtMessage: fc.Arbitrary<DhtMessage> = fc.oneof(
  fc.record({ kind: fc.constant('ping' as const), header: dhtHeader }, plain),
  fc.record(
    {
      kind: fc.constant('pong' as const),
      header: dhtHeader,
      requester: dhtContact.map(({ endpoint }) => endpoint),
      networkSize: fc.bigInt({ min: 1n, max: 2n ** 160n - 1n }),
    },
    plain,
  ),
  fc.record(
    {
      kind: fc.constant('store' as const),
      header: dhtHeader,
      token,
      values,
      oversized: fc.constant([]),
    },
    plain,
  ),
  fc.record(
    { kind: fc.constant('storeAck' as const), header: dhtHeader, statuses: fc.array(storeStatus, { maxLength: 5 }) },
    plain,
  ),
  fc.record({ kind: fc.constant('findNode' as const), header: dhtHeader, target: kuid }, plain),
  fc.record(
    {
      kind: fc.constant('foundNode' as const),
      header: dhtHeader,
      token,
      contacts: fc.array(dhtContact, { maxLength: 20 }),
    },
    plain,
  ),
  fc.record(
    {
      kind: fc.constant('findValue' as const),
      header: dhtHeader,
      key: kuid,
      secondaryKeys: kuids,
      type: fourCharacters,
    },
    plain,
  ),
  fc.record(
    {
      kind: fc.constant('value' as const),
      header: dhtHeader,
      load: fc.float({ min: 0, noDefaultInfinity: true, noNaN: true }).map(load => load + 0),
      values,
      secondaryKeys: kuids,
    },
    plain,
  ),
);
