import fc from 'fast-check';
import t from 'tap';
import { queryText, Searches } from '../../../protocol/overlay/searches.ts';
import { parseQuery, QueryFlag } from '../../../protocol/wire/query.ts';
import { SeededRandom } from '../../support/virtual-network.ts';

const newSearches = (max = 3): Searches => new Searches(new SeededRandom(1), max);

t.test('the query is marked, and says when we are firewalled', async t => {
  const searches = newSearches();
  const open = parseQuery(searches.start({ text: 'debian netinst' }, false, 0).payload);
  t.equal(open.text, 'debian netinst');
  t.equal(open.flags, QueryFlag.Marked | QueryFlag.GgepH);
  const closed = parseQuery(searches.start({ text: 'debian' }, true, 0).payload);
  t.equal(closed.flags, QueryFlag.Marked | QueryFlag.GgepH | QueryFlag.Firewalled);
});

t.test('a search by hash alone has the text that LimeWire wants, and its URN', async t => {
  const sha1 = Buffer.alloc(20, 9);
  const { payload } = newSearches().start({ text: '', urns: [sha1] }, false, 0);
  const { text, urns } = parseQuery(payload);
  t.equal(text, '\\');
  t.strictSame(urns, [sha1]);
});

t.test('signs that make others drop a query become blanks', async t => {
  t.equal(queryText('  AC/DC: "Back_in\tBlack" (live) #1\r\n'), 'AC DC Back in Black live 1');
  t.equal(queryText('été Straße 日本'), 'été Straße 日本');
  t.equal(queryText('ｆｕｌｌ＿width'), 'full width', 'look-alikes too');
  t.throws(() => newSearches().start({ text: ' /// ' }, false, 0), RangeError);
});

t.test('any text gives a payload that gtk-gnutella forwards: at most 256 bytes, no separator runs', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), text => {
      const taken = queryText(text);
      if (taken === '') return true;
      const { payload } = newSearches().start({ text }, false, 0);
      return payload.length <= 256 && parseQuery(payload).text === taken && !taken.includes('  ');
    }),
  );
});

t.test('the oldest search gives way to a new one', async t => {
  const searches = newSearches(3);
  const all = ['one', 'two', 'three', 'four'].map(text => searches.start({ text }, false, 0));
  t.equal(searches.size, 3);
  t.notOk(all[0]?.open);
  t.ok(all[3]?.open);
  t.equal(searches.find(all[0]?.guid ?? Buffer.alloc(16), 0), null);
  t.equal(searches.find(all[3]?.guid ?? Buffer.alloc(16), 0), all[3]);
});
