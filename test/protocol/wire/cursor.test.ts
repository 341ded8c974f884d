import t from 'tap';
import { Cursor } from '../../../protocol/wire/cursor.ts';

t.test('numbers are read in order and little-endian unless they say otherwise', async t => {
  const cursor = new Cursor(Buffer.from('0102030405060708090a0b', 'hex'));
  t.equal(cursor.u8(), 0x01);
  t.equal(cursor.u16(), 0x0302);
  t.equal(cursor.u16be(), 0x0405);
  t.equal(cursor.u32(), 0x09080706);
  t.equal(cursor.left, 2);
  t.equal(cursor.take(1).toString('hex'), '0a');
  cursor.skip(1);
  t.equal(cursor.left, 0);
});

t.test('nothing is read past the end, and a failed read moves nothing', async t => {
  const cursor = new Cursor(Buffer.alloc(10), 4, 7);
  t.throws(() => cursor.u32(), { code: 'WIRE_TRUNCATED' });
  t.throws(() => cursor.take(-1), { code: 'WIRE_TRUNCATED' });
  t.throws(() => cursor.skip(4), { code: 'WIRE_TRUNCATED' });
  t.equal(cursor.at, 4);
  t.equal(cursor.u16(), 0);
  t.throws(() => cursor.u16(), { code: 'WIRE_TRUNCATED' });
  t.equal(cursor.u8(), 0);
  t.throws(() => cursor.u8(), { code: 'WIRE_TRUNCATED' });
});

t.test('a terminator beyond the end is none', async t => {
  const cursor = new Cursor(Buffer.from('41420043', 'hex'), 0, 2);
  t.throws(() => cursor.find(0), { code: 'WIRE_MALFORMED' });
  t.equal(new Cursor(Buffer.from('41420043', 'hex')).find(0), 2);
});
