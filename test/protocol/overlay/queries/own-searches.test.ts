import fc from 'fast-check';
import t from 'tap';
import { OwnSearches } from '../../../../protocol/overlay/queries/own-searches.ts';
import { askAgainAt, REPEAT_MS } from '../../../../protocol/overlay/queries/past-searches.ts';
import { queryText, textToAsk } from '../../../../protocol/overlay/queries/question.ts';
import { mediaMask, wantedMedia } from '../../../../protocol/wire/media-type.ts';
import { parseQuery, QueryFlag } from '../../../../protocol/wire/query.ts';
import { SeededRandom } from '../../../support/virtual-network.ts';

const newSearches = (max = 3): OwnSearches => new OwnSearches(new SeededRandom(1), max);

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
  t.strictSame(urns, [{ sha1, tigerRoot: null }]);
});

t.test('signs that make others drop a query become blanks', async t => {
  t.equal(queryText('  AC/DC: "Back_in\tBlack" (live) #1\r\n'), 'AC DC Back in Black live 1');
  t.equal(queryText('été Straße 日本'), 'été Straße 日本');
  t.equal(queryText('ｆｕｌｌ＿width'), 'full width', 'look-alikes too');
});

const canBeAsked = (text: string): boolean => {
  try {
    return textToAsk({ text }) !== '';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
};

t.test('a search in which no file can have a part is not sent', async t => {
  const urns = [Buffer.alloc(20, 9)];
  for (const text of ['', ' /// ', '...', '???', '- - -', '(*)', '★', '\u0301', '♥ & ♥'])
    t.throws(
      () => newSearches().start({ text }, false, 0),
      { name: 'RangeError', message: /there is no word in it/ },
      text,
    );
  for (const text of ['a', 'u2', 'x y z', 'é'])
    t.throws(
      () => newSearches().start({ text }, false, 0),
      { name: 'RangeError', message: /too short.* 3 letters/ },
      text,
    );
  for (const text of ['abc', 'u2 live', '日', 'été'])
    t.equal(parseQuery(newSearches().start({ text }, false, 0).payload).text, text);
  t.match(
    parseQuery(newSearches().start({ text: '...', urns }, false, 0).payload),
    { text: '\\', urns: urns.map(sha1 => ({ sha1, tigerRoot: null })) },
    'the URN is enough',
  );
});

t.test('any text gives a payload that gtk-gnutella forwards: at most 256 bytes, no separator runs', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), text => {
      const taken = queryText(text);
      if (!canBeAsked(text)) return true;
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

t.test(
  'the same again within 1,700 s is a repeat, whatever its case and signs; other words and other hashes are new',
  async t => {
    const searches = newSearches();
    const first = searches.start({ text: 'Blue Moon' }, false, 0);
    t.equal(first.askedBefore, null);
    t.equal(askAgainAt(first), null, 'nobody was asked yet');
    t.equal(searches.start({ text: 'blue moon' }, false, 500).askedBefore, null, 'so this is none');
    first.noteAsked(1_000);
    t.equal(askAgainAt(first), 1_000 + REPEAT_MS);
    searches.cancel(first);
    const again = newSearches();
    const asked = again.start({ text: 'Blue Moon' }, false, 0);
    asked.noteAsked(1_000);
    for (const text of ['blue  moon!', 'BLUE-MOON']) {
      const repeat = again.start({ text }, false, 40_000);
      t.equal(repeat.askedBefore, 1_000, text);
      t.strictSame(repeat.earlierGuids.at(-1), asked.guid);
      t.notSame(repeat.guid, asked.guid);
      t.equal(askAgainAt(repeat), 1_000 + REPEAT_MS, 'it went to nobody: the earlier one counts');
    }
    t.equal(again.start({ text: 'blue moon rising' }, false, 40_000).askedBefore, null);
    t.equal(again.start({ text: 'blue moon', urns: [Buffer.alloc(20, 1)] }, false, 40_000).askedBefore, null);
    t.equal(again.start({ text: 'blue moon' }, false, 1_000 + REPEAT_MS - 1).askedBefore, 1_000);
    t.equal(
      again.start({ text: 'blue moon' }, false, 1_000 + REPEAT_MS).askedBefore,
      null,
      'neighbours have forgotten it',
    );
  },
);

t.test('hits for the GUID of an earlier search are taken as long as any repeat of it runs', async t => {
  const searches = newSearches(10);
  const ask = (now: number) => {
    const search = searches.start({ text: 'blue moon' }, false, now);
    search.noteAsked(now);
    return search;
  };
  const first = ask(0);
  searches.cancel(first);
  t.equal(searches.find(first.guid, 0), null, 'without a repeat nobody waits for them');
  const second = ask(10_000);
  t.equal(searches.find(first.guid, 0), second);
  const third = ask(20_000);
  t.equal(searches.find(second.guid, 0), second, 'one that runs has its own');
  t.equal(searches.cancel(third), true, 'its late hits are of use');
  for (const guid of [first.guid, second.guid, third.guid]) t.equal(searches.find(guid, 0), second);
  t.equal(searches.cancel(second), false);
  for (const guid of [first.guid, second.guid, third.guid]) t.equal(searches.find(guid, 0), null);
});

t.test('a search repeated ever and again remembers a bounded number of GUIDs', async t => {
  const searches = newSearches(2);
  for (let now = 0; now < 5_000; now++) {
    const search = searches.start({ text: 'blue moon' }, false, now);
    search.noteAsked(now);
    t.ok(search.earlierGuids.length <= 8);
  }
});

t.test('a search for one type asks with GGEP M and is another question than one for all', async t => {
  const searches = newSearches();
  const media = mediaMask(['audio']);
  const search = searches.start({ text: 'moon', media }, false, 0);
  t.equal(wantedMedia(parseQuery(search.payload).ggep), media);
  const any = searches.start({ text: 'moon' }, false, 0);
  t.equal(wantedMedia(parseQuery(any.payload).ggep), 0);
  t.not(search.question, any.question);
  t.equal(any.askedBefore, null);
});
