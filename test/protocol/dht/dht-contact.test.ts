import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type DhtContact, readContact, readSocketAddress, writeContact } from '../../../protocol/dht/dht-contact.ts';
import { ProtocolError } from '../../../protocol/errors.ts';
import { ByteWriter } from '../../../protocol/wire/byte-writer.ts';
import { Cursor } from '../../../protocol/wire/cursor.ts';
import { dhtContact } from '../../support/dht-arbitraries.ts';
import { dhtVectors } from '../../support/dht-vectors.ts';

function encode(contact: DhtContact): Buffer {
  const writer = new ByteWriter();
  writeContact(writer, contact);
  return writer.copy();
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

const contactA = {
  vendor: 'TEST',
  version: 0,
  kuid: hex(dhtVectors.kuid_A),
  endpoint: { host: '192.0.2.7', port: 6346 },
};

t.test('contacts of the vectors are read and written', async t => {
  t.strictSame(readContact(new Cursor(hex(dhtVectors.contact_A_hex))), contactA);
  t.equal(encode(contactA).toString('hex'), dhtVectors.contact_A_hex);
  const b = readContact(new Cursor(hex(dhtVectors.contact_B_hex)));
  t.strictSame([b.vendor, b.endpoint], ['GTKG', { host: '198.51.100.4', port: 6347 }]);
  t.equal(encode(b).toString('hex'), dhtVectors.contact_B_hex);
});

t.test('what is written is read, and nothing is read past the end', async () => {
  fc.assert(
    fc.property(dhtContact, contact => {
      const bytes = encode(contact);
      assert.equal(bytes.length, contact.endpoint.host.includes(':') ? 45 : 33);
      const cursor = new Cursor(Buffer.concat([bytes, hex('ff')]));
      assert.deepEqual(readContact(cursor), contact);
      assert.equal(cursor.left, 1);
      for (let cut = 0; cut < bytes.length; cut++) {
        assert.throws(() => readContact(new Cursor(bytes, 0, cut)), ProtocolError);
      }
    }),
  );
});

t.test('addresses that cannot be meant are refused both ways', async t => {
  for (const bad of [
    '0400000000',
    '04000000001234',
    `10${'00'.repeat(18)}`,
    '05c0000207011234',
    '00',
    '001234',
    '03c000021234',
  ]) {
    t.throws(() => readSocketAddress(new Cursor(hex(bad))), { code: 'DHT_MALFORMED' }, bad);
  }
  t.strictSame(readSocketAddress(new Cursor(hex('04c00002070000'))), { host: '192.0.2.7', port: 0 }, 'port 0 is read');
  for (const host of ['0.0.0.0', '::']) {
    t.throws(() => encode({ ...contactA, endpoint: { host, port: 6346 } }), RangeError);
  }
  for (const vendor of ['', 'GTK', 'GTKGN', 'GTK€'])
    t.throws(() => encode({ ...contactA, vendor }), RangeError, vendor);
  t.throws(() => encode({ ...contactA, kuid: Buffer.alloc(19) }), RangeError);
});
