import t from 'tap';
import { SavedFinds } from '../../../../protocol/overlay/queries/saved-finds.ts';

const content = (i: number) => ({ sha1: null, name: `file ${i}`, size: i });
const find = (i: number) => ({
  ...content(i),
  ...{ sources: 1, at: i, outcome: 'told' as const, download: null, error: null },
});

t.test('a content is new once, over a restart too', async t => {
  const finds = new SavedFinds();
  t.ok(finds.see(content(1)));
  t.notOk(finds.see(content(1)));
  t.ok(finds.see({ ...content(1), size: 2 }), 'another size');
  t.ok(finds.see({ ...content(1), sha1: Buffer.alloc(20, 1) }));
  finds.add(find(1));
  const again = SavedFinds.restore(JSON.parse(JSON.stringify(finds.record())));
  t.notOk(again.see(content(1)));
  t.notOk(again.see({ sha1: Buffer.alloc(20, 1), name: 'renamed', size: 9 }), 'whatever its name');
  t.ok(again.see(content(3)));
  t.match(again.newestFirst(), [{ name: 'file 1', outcome: 'told' }]);
});

t.test('what is kept is bounded; what is still found is not forgotten first', async t => {
  const finds = new SavedFinds();
  for (let i = 0; i < 20_000; i++) {
    finds.see(content(i));
    finds.see(content(0));
    finds.add(find(i));
  }
  t.equal(finds.seen, 6_000);
  t.equal(finds.newestFirst().length, 200);
  t.notOk(finds.see(content(0)));
  t.ok(finds.see(content(1)));
  t.equal(SavedFinds.restore(finds.record()).seen, 6_000);
});

t.test('a damaged record is taken as far as it goes', async t => {
  for (const bad of [undefined, {}, { finds: 3, seen: 4 }, { finds: [null, { name: 5 }], seen: 'abc' }])
    t.equal(SavedFinds.restore(bad as never).newestFirst().length, 0);
});
