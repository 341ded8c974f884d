// Pastry: digits and their tables, look-ups with any nodes, what is lost with adjacent nodes, and the application on top.
import fc from 'fast-check';
import t from 'tap';
import { Circle, closestOf, drawIdentifiers, NOBODY } from '../../../sim/keys/identifiers.ts';
import { type PastryApplication, PastryNodes } from '../../../sim/keys/pastry-nodes.ts';
import { Plane } from '../../../sim/keys/plane.ts';
import { Digits } from '../../../sim/keys/prefix-tables.ts';
import { figureNode, rightLeaves } from '../../../sim/models/pastry.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';

const anyId = fc.integer({ min: 0, max: 0xffff_ffff });

t.test('identifiers as digits', async t => {
  const digits = new Digits(2, 8);
  const id = digits.parse('10233102');
  t.strictSame([digits.format(id), digits.at(id, 0), digits.at(id, 7), digits.at(id, 3)], ['10233102', 1, 2, 3]);
  t.strictSame(
    ['10233102', '10233122', '00000000'].map(text => digits.shared(id, digits.parse(text))),
    [8, 6, 0],
  );
  t.equal(new Digits(4, 8).shared(0x1234_5678, 0x1234_0678), 4);
});

t.test('each entry of a table shares its row’s digits and has its column’s next', async t => {
  const random = new SeededRandom(3);
  const ids = drawIdentifiers(300, random);
  const { table, digits } = new PastryNodes({ ids, random, latencyMs: () => 1 });
  let entries = 0;
  for (const [node, id] of ids.entries())
    for (let row = 0; row < table.rows; row++)
      for (const [column, entry] of table.row(node, row).entries()) {
        const wanted = ids.some(other => digits.shared(other, id) === row && digits.at(other, row) === column);
        if (wanted !== (entry !== NOBODY)) t.fail(`node ${node}, row ${row}, column ${column}`);
        if (entry === NOBODY) continue;
        const other = ids[entry] ?? 0;
        if (digits.shared(other, id) !== row || digits.at(other, row) !== column) t.fail(`entry of node ${node}`);
        entries++;
      }
  t.ok(entries > 300 * 15);
});

t.test('each look-up ends at the numerically closest node, with any nodes', async t => {
  const drawn = fc.uniqueArray(anyId, { minLength: 2, maxLength: 40 });
  const property = fc.property(drawn, anyId, fc.nat(), (numbers, key, start) => {
    const ids = Uint32Array.from(numbers).sort();
    const pastry = new PastryNodes({ ids, random: new SeededRandom(1), leaves: 4, latencyMs: () => 1 });
    const probe = pastry.probe(start % ids.length, key);
    pastry.network.run();
    t.equal(
      probe.at,
      closestOf(ids, key, new Circle(), () => true),
    );
  });
  fc.assert(property, { seed: 1, numRuns: 200 });
});

t.test('the figure’s node knows its leaves by side', async t => {
  const { pastry, node, numberOf } = figureNode();
  t.strictSame(pastry.side(node, false), ['10233033', '10233021', '10233001', '10233000'].map(numberOf));
  t.strictSame(pastry.side(node, true), ['10233120', '10233122', '10233230', '10233232'].map(numberOf));
  t.equal(pastry.neighbours(node).length, 8);
});

t.test('an application is delivered to, may stop a message on its way, and is told of new leaves', async t => {
  const random = new SeededRandom(1);
  const { latencyMs } = new Plane(200, random);
  const ids = drawIdentifiers(200, random);
  const pastry = new PastryNodes<string>({
    ids,
    random,
    latencyMs,
    ackMs: 500,
    founders: Array.from({ length: 199 }, (_, i) => i),
  });
  const seen: string[] = [];
  const told = new Set<number>();
  const application: PastryApplication<string> = {
    deliver: (node, message) => seen.push(`${message} at ${node}`),
    forward: (_node, message) => message === 'stopped',
    newLeafs: node => told.add(node),
  };
  pastry.application = application;
  pastry.route(0, ids[100] ?? 0, 'passed');
  pastry.route(0, ids[100] ?? 0, 'stopped');
  pastry.network.run();
  t.strictSame(seen, ['passed at 100']);
  pastry.join(199, 5);
  pastry.network.run(10_000);
  t.ok(pastry.isMember(199));
  t.ok(
    [198, 0, 191, 7].every(node => told.has(node)),
    'eight on each side',
  );
  t.notOk(told.has(100));
  t.equal(rightLeaves(pastry), 1);
});
