import t from 'tap';
import { dhtContactItems, dhtContactsIn, dhtModeIn, dhtModeItems } from '../../../protocol/dht/dht-items.ts';

t.test('GGEP DHT: version and mode, of which the low four bits count', async t => {
  t.strictSame(dhtModeItems('active'), [{ id: 'DHT', payload: Buffer.of(0, 0, 1) }]);
  t.strictSame(dhtModeItems('passive'), [{ id: 'DHT', payload: Buffer.of(0, 0, 2) }]);
  t.strictSame(dhtModeItems('off'), []);
  for (const mode of ['active', 'passive', 'off'] as const) t.equal(dhtModeIn(dhtModeItems(mode)), mode);
  t.equal(dhtModeIn([{ id: 'DHT', payload: Buffer.of(0, 1, 0x31) }]), 'active');
  t.equal(dhtModeIn([{ id: 'DHT', payload: Buffer.of(0, 0, 3) }]), 'passive', 'a passive leaf of LimeWire');
  t.equal(dhtModeIn([{ id: 'DHT', payload: Buffer.of(0, 0, 9) }]), 'off');
  t.equal(dhtModeIn([{ id: 'DHT', payload: Buffer.of(0) }]), 'off');
});

t.test('GGEP DHTIPP: up to ten nodes, IPv4 and port in little endian', async t => {
  const node = { host: '5.6.7.8', port: 0x1234 };
  t.strictSame(dhtContactItems([node]), [{ id: 'DHTIPP', payload: Buffer.of(5, 6, 7, 8, 0x34, 0x12) }]);
  t.strictSame(dhtContactItems([{ host: '2a00::1', port: 1 }]), []);
  const many = Array.from({ length: 15 }, (_, n) => ({ host: `5.6.7.${n + 1}`, port: 6346 }));
  t.strictSame(dhtContactsIn(dhtContactItems(many)), many.slice(0, 10));
  t.strictSame(dhtContactsIn([{ id: 'DHTIPP', payload: Buffer.alloc(7) }]), [], 'a wrong length');
  t.strictSame(dhtContactsIn([]), []);
});
