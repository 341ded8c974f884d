import t from 'tap';
import {
  SOURCE_SEARCH_TIMES,
  SOURCES_ENOUGH,
  SourceSearch,
  type SourceWish,
  wordsOf,
} from '../../../../protocol/transfer/downloads/source-search.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Adds nothing to the intervals. */
const random = { below: () => 0, fill: () => undefined, guid: () => Buffer.alloc(16) };

const wish = (id: string, usable = 0, name: string | null = 'Blue Moon live.ogg'): SourceWish => ({
  ...{ id, usable, name },
  sha1: Buffer.alloc(20, id),
});

/** The questions of `hours`, with the time of each, as `id kind at minute`. */
function asked(search: SourceSearch, until: number, from = 0): string[] {
  const said: string[] = [];
  for (let at = Math.max(from, search.nextAt()); at <= until; at = search.nextAt()) {
    const question = search.next(at);
    if (question !== null) said.push(`${question.id} ${question.words ?? 'hash'} ${at / MINUTE}`);
    else if (search.nextAt() <= at) throw new Error('it has nothing to ask at its own time');
  }
  return said;
}

t.test(
  'asks with words at once, by hash alone after a minute, again after half an hour and at growing intervals',
  t => {
    const search = new SourceSearch(random);
    search.want(wish('a'), 0);
    t.strictSame(asked(search, 12 * HOUR), [
      'a blue moon live 0',
      'a hash 1',
      'a blue moon live 30',
      'a hash 31',
      'a blue moon 90',
      'a hash 91',
      'a blue moon 210',
      'a hash 211',
      'a blue moon 450',
      'a hash 451',
      'a blue moon 690',
      'a hash 691',
    ]);
    t.match(search.stateOf('a'), { asked: 12, nextAt: 930 * MINUTE });
    t.end();
  },
);

t.test('a running download that has lost sources does not wait longer than half an hour', t => {
  const search = new SourceSearch(random);
  search.want(wish('a', 2), 0);
  search.hurry('a', 0);
  search.hurry('none', 0);
  t.strictSame(asked(search, HOUR), ['a blue moon live 0.16666666666666666', 'a blue moon live 30.166666666666668']);
  search.hurry('a', HOUR);
  t.equal(search.nextAt(), 90 * MINUTE + 10_000, 'it has as many as when it asked');
  search.want(wish('a', 1), HOUR);
  t.equal(search.nextAt(), 90 * MINUTE + 10_000);
  search.hurry('a', 50 * MINUTE);
  t.equal(search.nextAt(), 60 * MINUTE + 10_000);
  t.end();
});

t.test('the hash alone is asked for only while there is no source, and a name that is unknown has no words', t => {
  const search = new SourceSearch(random);
  search.want(wish('a', 0, null), 0);
  search.want(wish('b'), 0);
  t.same(search.next(0), { id: 'a', sha1: wish('a').sha1, words: null, isFirst: true });
  t.match(search.next(0), { id: 'b' });
  search.want(wish('b', 1), 1000);
  t.strictSame(asked(search, HOUR), ['a hash 30', 'b blue moon live 30']);
  t.end();
});

t.test('a download with some sources is asked for after a while, one with enough not at all', t => {
  const search = new SourceSearch(random);
  search.want(wish('few', SOURCES_ENOUGH - 1), 0);
  search.want(wish('enough', SOURCES_ENOUGH), 0);
  t.equal(search.next(9_999), null);
  t.match(search.next(10_000), { id: 'few' });
  t.equal(search.next(HOUR)?.id, 'few');
  search.want(wish('few', SOURCES_ENOUGH), HOUR);
  t.equal(search.nextAt(), Number.POSITIVE_INFINITY);
  t.same(search.stateOf('few'), { asked: 2, nextAt: null });
  search.want(wish('few', 0), HOUR + 1);
  t.equal(search.next(HOUR + 1), null, 'losing its sources does not make it ask sooner than it may');
  t.end();
});

t.test('one that waits for its first question asks at once when its sources are gone', t => {
  const search = new SourceSearch(random);
  search.want(wish('a', 1), 0);
  search.want(wish('a', 0), 5);
  t.match(search.next(5), { id: 'a' });
  t.end();
});

t.test('paused it asks nothing, and going on does not ask sooner; forgotten it is gone', t => {
  const search = new SourceSearch(random);
  search.want(wish('a'), 0);
  search.next(0);
  search.rest('a');
  t.equal(search.nextAt(), Number.POSITIVE_INFINITY);
  t.equal(search.next(12 * HOUR), null);
  search.want(wish('a'), 2 * MINUTE);
  t.match(search.next(2 * MINUTE), { words: null, isFirst: false });
  t.equal(search.next(29 * MINUTE), null);
  search.forget('a');
  t.equal(search.stateOf('a'), null);
  t.equal(search.size, 0);
  t.end();
});

t.test('ten thousand downloads ask no more than the budget, in turns, those without a source first', t => {
  const search = new SourceSearch(random);
  for (let n = 0; n < 10_000; n++) search.want(wish(`${n}`, n % 2), 0);
  const said = asked(search, HOUR);
  const { budget, budgetMs } = SOURCE_SEARCH_TIMES;
  t.equal(said.length, budget + HOUR / budgetMs);
  t.ok(said.slice(0, 50).every(line => Number(line.split(' ')[0]) % 2 === 0));
  t.equal(new Set(said.map(line => line.split(' ')[0])).size, said.length, 'none asks twice before the others');
  t.end();
});

t.test('words are the longest of the name in its order, fewer from round to round', t => {
  const name = 'The Blue-Moon Orchestra - 03 - Harbour Lights, a Medley of Songs (live).ogg';
  t.equal(wordsOf({ name, rounds: 1 }), 'blue orchestra harbour lights medley songs');
  t.equal(wordsOf({ name, rounds: 2 }), 'orchestra harbour lights medley');
  t.equal(wordsOf({ name, rounds: 9 }), 'orchestra harbour');
  t.equal(wordsOf({ name: 'a - 03.mp3', rounds: 1 }), null);
  t.equal(wordsOf({ name: null, rounds: 1 }), null);
  t.end();
});
