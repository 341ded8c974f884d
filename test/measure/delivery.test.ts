import t from 'tap';
import { databaseSchema } from '../../measure/clickhouse-schema.ts';
import { columnFault, deliveryStep, deliveryWait } from '../../measure/delivery.ts';

t.test('what is done with a batch', async t => {
  t.equal(deliveryStep(0, null), 'done');
  t.equal(deliveryStep(5, null), 'insert', 'nobody has tried');
  t.equal(deliveryStep(5, { running: true, present: 0 }), 'wait');
  t.equal(deliveryStep(5, { running: false, present: 0 }), 'insert');
  t.equal(deliveryStep(5, { running: false, present: 3 }), 'missing');
  t.equal(deliveryStep(5, { running: false, present: 5 }), 'done');
});

t.test('waits double up to a minute', async t => {
  t.strictSame([1, 2, 3, 7, 8, 50].map(deliveryWait), [500, 1000, 2000, 32_000, 60_000, 60_000]);
});

t.test('faults of a table are named', async t => {
  const expected = [
    { name: 'seq', type: 'Int64' },
    { name: 'text', type: 'String' },
  ];
  t.equal(columnFault(expected, [...expected, { name: 'more', type: 'Date' }]), null);
  t.equal(
    columnFault(expected, [{ name: 'seq', type: 'String' }]),
    'has the column seq as String instead of Int64, lacks the column text (String)',
  );
});

t.test('names that are no names make no SQL', async t => {
  t.throws(() => databaseSchema('a; DROP', null), { message: /is no name/ });
  t.throws(() => databaseSchema('a', "x'"), { message: /is no name/ });
  t.ok(databaseSchema('servent', 'fleet').some(statement => /Distributed\(fleet, servent, queries\)/.test(statement)));
});
