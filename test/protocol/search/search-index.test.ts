import fc from 'fast-check';
import t from 'tap';
import { SearchIndex } from '../../../protocol/search/search-index.ts';
import type { SharedFile } from '../../../protocol/search/shared-file.ts';
import { nameWords, queryWords } from '../../../protocol/search/tokenizer.ts';
import { type MediaType, mediaGgep, mediaMask } from '../../../protocol/wire/media-type.ts';
import { parseQuery } from '../../../protocol/wire/query.ts';
import { base32OrNull } from '../../../protocol/wire/urn.ts';
import { readFixture } from '../../support/fixtures.ts';

const sha1Of = (n: number): Buffer => Buffer.alloc(20, n);
const file = (index: number, name: string, sha1 = sha1Of(index), size = 10 * index): SharedFile => ({
  index,
  name,
  size,
  sha1,
  tigerRoot: null,
  modifiedAt: 0,
});
const indexOf = (...names: string[]): SearchIndex => {
  const index = new SearchIndex();
  for (const [i, name] of names.entries()) index.add(file(i + 1, name));
  return index;
};
const ask = (index: SearchIndex, text: string, urns: Buffer[] = [], hitsMax = 100): number[] =>
  index.match({ text, urns: urns.map(sha1 => ({ sha1, tigerRoot: null })) }, hitsMax).map(hit => hit.index);

t.test('every word of the query must begin a word of the name', async t => {
  const index = indexOf('Quick-Brown_Fox (jumps).ogg', 'brown bread.txt', 'Linux Kernel.pdf');
  t.strictSame(ask(index, 'brown'), [1, 2]);
  t.strictSame(ask(index, 'BROWN fox'), [1]);
  t.strictSame(ask(index, 'fox.brown'), [1], 'in any order, with any separator');
  t.strictSame(ask(index, 'brown kernel'), [], 'not spread over two files');
  t.strictSame(ask(index, 'kern lin'), [3], 'the beginning of a word will do');
  t.strictSame(ask(index, 'ernel'), [], 'the end will not');
  t.strictSame(ask(index, 'linuxes'), [], 'nor more than the word');
  t.strictSame(ask(index, ''), []);
  t.strictSame(ask(index, '...'), []);
});

t.test('words of one and two letters must be whole', async t => {
  const index = indexOf('a day at the races', 'anything', 'u2 live', 'under');
  t.strictSame(ask(index, 'a day'), [1]);
  t.strictSame(ask(index, 'a'), [1]);
  t.strictSame(ask(index, 'un'), []);
  t.strictSame(ask(index, 'u2'), [3]);
  t.strictSame(ask(indexOf('日本語'), '日'), [1], 'a single ideograph has three bytes');
});

t.test('an apostrophe matches left out, split or typed', async t => {
  const index = indexOf("Don't Panic.txt");
  for (const text of ["don't panic", 'dont panic', 'don t panic', 'DON’T']) t.strictSame(ask(index, text), [1], text);
});

t.test('the rarest word whole comes first, and hits are limited', async t => {
  const index = indexOf('linuxes', 'linux', 'linux two', 'linuxia');
  t.strictSame(ask(index, 'linux'), [2, 3, 1, 4]);
  t.strictSame(ask(index, 'linux', [], 2), [2, 3]);
  t.strictSame(ask(index, 'linux', [], 0), []);
});

t.test('a URN decides when we have it, else the words', async t => {
  const index = indexOf('one thing', 'other thing');
  t.strictSame(ask(index, '', [sha1Of(2)]), [2]);
  t.strictSame(ask(index, 'thing', [sha1Of(2), sha1Of(2)]), [2]);
  t.strictSame(ask(index, 'thing', [sha1Of(9)]), [1, 2]);
  t.strictSame(ask(index, '\\', [sha1Of(9)]), []);
  t.strictSame(ask(index, '', [Buffer.alloc(3)]), [], 'no hash at all');
});

t.test(
  'a file is found by the root of its hash tree and by its bitprint, and by no bitprint with another root',
  async t => {
    const index = new SearchIndex();
    const root = (n: number): Buffer => Buffer.alloc(24, n);
    const by = (sha1: Buffer | null, tigerRoot: Buffer | null): number[] =>
      index.match({ text: '', urns: [{ sha1, tigerRoot }] }, 10).map(hit => hit.index);
    index.add({ ...file(1, 'with a tree', sha1Of(1)), tigerRoot: root(1) });
    index.add(file(2, 'without', sha1Of(2)));
    t.strictSame([by(null, root(1)), by(sha1Of(1), root(1)), by(sha1Of(1), null)], [[1], [1], [1]]);
    t.strictSame(
      [by(sha1Of(1), root(2)), by(null, root(2)), by(null, Buffer.alloc(24)), by(null, Buffer.alloc(3))],
      [[], [], [], []],
    );
    t.strictSame(by(sha1Of(2), root(2)), [2], 'its root may be the one');
    t.equal(index.byIndex(2)?.tigerRoot, null);
    index.addTigerRoot(1, root(2)); // the row of the second file
    t.strictSame(by(null, root(2)), [2]);
    t.ok(index.byIndex(2)?.tigerRoot?.equals(root(2)));
    t.strictSame(by(sha1Of(2), root(3)), []);
    index.remove(2);
    index.add(file(3, 'in its row', sha1Of(3)));
    t.strictSame([by(null, root(2)), by(null, root(1))], [[], [1]]);
  },
);

t.test('copies of one content: each is found by its name, one by the URN, and it outlives the other', async t => {
  const index = new SearchIndex();
  index.add(file(1, 'first copy', sha1Of(7)));
  index.add(file(2, 'second copy', sha1Of(7)));
  t.strictSame(ask(index, 'copy'), [1, 2]);
  t.equal(ask(index, '', [sha1Of(7)]).length, 1);
  index.remove(1);
  t.equal(index.bySha1(sha1Of(7))?.index, 2);
  index.remove(2);
  t.equal(index.bySha1(sha1Of(7)), null);
});

t.test('counts follow adding, replacing and removing', async t => {
  const index = indexOf('a', 'b');
  t.same([index.files, index.bytes], [2, 30]);
  index.add(file(2, 'c', sha1Of(2), 100));
  t.same([index.files, index.bytes], [2, 110]);
  t.strictSame(ask(index, 'b'), []);
  index.remove(1);
  index.remove(1);
  t.same([index.files, index.bytes], [1, 100]);
  t.equal(index.byIndex(1), null);
  t.equal(index.byIndex(2)?.name, 'c');
  index.remove(2);
  t.strictSame([...index.words()], []);
});

t.test('gtk-gnutella finds the same files for the same queries', async t => {
  interface Capture {
    shared_files: { name: string; size: number; sha1: string }[];
    answers: { query: string; results: number[] }[];
    events: { from: string; hex: string; note?: string }[];
  }
  const capture = readFixture<Capture>('gtk-gnutella/query-hits-up.json');
  const index = new SearchIndex();
  for (const [i, { name, size, sha1 }] of capture.shared_files.entries()) {
    index.add({
      index: i + 1,
      name,
      size,
      sha1: base32OrNull(sha1) ?? Buffer.alloc(20),
      tigerRoot: null,
      modifiedAt: 0,
    });
  }
  // What's New is no matter of words, a query without the mark it drops, GGEP u it does not know.
  const differ = /What's new|min speed 0|GGEP u|malformed/;
  const queries = capture.events.filter(event => event.from === 'peer' && event.note?.startsWith('query: '));
  let compared = 0;
  for (const [i, event] of queries.entries()) {
    const answer = capture.answers[i];
    if (answer === undefined || differ.test(answer.query)) continue;
    const query = parseQuery(Buffer.from(event.hex, 'hex').subarray(23));
    const hits = answer.results.reduce((sum, count) => sum + count, 0);
    t.equal(index.match(query, 255).length, hits, answer.query);
    compared++;
  }
  t.equal(compared, 14);
});

t.test('any history of adding and removing leaves what a plain search over the files finds', async () => {
  const word = fc.constantFrom('linux', 'lin', 'linuxes', 'gnu', 'gnutella', 'a', 'ab', "don't", 'été', '日本', 'zz');
  const step = fc.record({
    index: fc.integer({ min: 0, max: 40 }),
    words: fc.option(fc.array(word, { minLength: 1, maxLength: 5 })),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.array(word, { minLength: 1, maxLength: 3 }), (steps, asked) => {
      const index = new SearchIndex();
      const files = new Map<number, SharedFile>();
      for (const { index: i, words } of steps) {
        if (words === null) {
          files.delete(i);
          index.remove(i);
        } else {
          const added = file(i, `${words.join(' ')}.txt`, sha1Of(i % 7));
          files.set(i, added);
          index.add(added);
        }
      }
      const wanted = queryWords(asked.join(' '));
      const begins = (name: string): boolean => {
        const have = nameWords(name);
        return wanted.every(word =>
          have.some(other => (Buffer.byteLength(word) < 3 ? other === word : other.startsWith(word))),
        );
      };
      const expected = [...files.values()].filter(({ name }) => begins(name)).map(({ index }) => index);
      const sums = [...files.values()].reduce((sum, { size }) => sum + size, 0);
      const shas = new Set([...files.values()].map(({ sha1 }) => sha1[0]));
      return (
        JSON.stringify(ask(index, asked.join(' ')).sort((a, b) => a - b)) ===
          JSON.stringify(expected.sort((a, b) => a - b)) &&
        index.files === files.size &&
        index.bytes === sums &&
        [0, 1, 2, 3, 4, 5, 6].every(n => (index.bySha1(sha1Of(n)) !== null) === shas.has(n))
      );
    }),
    { numRuns: 300 },
  );
});

t.test('thousands of files come and go without holes showing', async t => {
  const index = new SearchIndex();
  const shaOf = (i: number): Buffer => {
    const sha1 = Buffer.alloc(20);
    sha1.writeUInt32LE(i % 50); // crowded on purpose
    sha1.writeUInt32LE(i, 4);
    return sha1;
  };
  for (let i = 1; i <= 6000; i++) index.add(file(i, `word${i % 700} common ${i}.txt`, shaOf(i)));
  for (let i = 1; i <= 6000; i++) if (i % 3 !== 0) index.remove(i);
  for (let i = 6001; i <= 7000; i++) index.add(file(i, `word${i % 700} common ${i}.txt`, shaOf(i)));
  t.equal(index.files, 3000);
  for (let i = 1; i <= 7000; i += 5) {
    const expected = i % 3 === 0 || i > 6000 ? i : undefined;
    if (index.bySha1(shaOf(i))?.index !== expected) t.fail(`URN of ${i}`);
    const found = ask(index, `common ${i} word${i % 700}`, [], 5000);
    if (found.includes(i) !== (expected !== undefined)) t.fail(`words of ${i}`);
  }
  t.equal(ask(index, 'common', [], 5000).length, 3000);
});

t.test('frequent words, with few forms and with many, find the files that have all of them', async t => {
  const index = new SearchIndex();
  const names = Array.from(
    { length: 4000 },
    (_, i) => `form${i % 41} half${i % 2} third${i % 3} nth${i % 29} ${i % 50}`,
  );
  for (const [i, name] of names.entries()) index.add(file(i + 1, name, sha1Of(i % 256)));
  const texts = [
    'half0 third1', // two long lists
    'half0 half1', // never together
    'half third2 nth7', // few forms
    'form third0 half1', // many forms, the most frequent word
    'form1 nth2 25', // many forms of several words
    'nth form 3',
  ];
  for (const text of texts) {
    const wanted = text.split(' ');
    const isFound = (name: string): boolean =>
      wanted.every(word => name.split(' ').some(own => (word.length < 3 ? own === word : own.startsWith(word))));
    const expected = names.flatMap((name, i) => (isFound(name) ? [i + 1] : []));
    t.strictSame(
      ask(index, text, [], 5000).sort((a, b) => a - b),
      expected,
      text,
    );
  }
});

t.test('a query without end in sight is cut short', async t => {
  const index = new SearchIndex();
  // the two words are together only in the last file
  for (let i = 1; i <= 120_000; i++) index.add(file(i, i % 2 === 0 ? 'even' : 'odd', sha1Of(i % 256)));
  index.add(file(120_001, 'even and odd'));
  t.strictSame(ask(index, 'even odd'), [], 'the last file is beyond the bound');
  index.remove(2);
  index.add(file(2, 'even and odd'));
  t.strictSame(ask(index, 'even odd'), [2]);
});

t.test('no text of any kind makes it throw', async () => {
  const index = indexOf('Quick-Brown_Fox (jumps).ogg', '日本語 file', "don't");
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), text => index.match({ text, urns: [] }, 10).length <= 3),
  );
});

t.test(
  'a query with GGEP M finds files of its media types, by words, by URN, and within its number of hits',
  async t => {
    const index = indexOf('moon one.mp3', 'moon two.avi', 'moon three.pdf', 'moon four.ogg', 'moon five');
    const of = (types: MediaType[], hitsMax = 10, urns: Buffer[] = []): number[] =>
      index
        .match(
          { text: 'moon', urns: urns.map(sha1 => ({ sha1, tigerRoot: null })), ggep: [mediaGgep(mediaMask(types))] },
          hitsMax,
        )
        .map(hit => hit.index);
    t.strictSame(of(['audio']), [1, 4]);
    t.strictSame(of(['document', 'video']), [2, 3]);
    t.strictSame(of(['image']), []);
    t.strictSame(of([]), [1, 2, 3, 4, 5]);
    t.strictSame(of(['document'], 1), [3], 'files of other types take no place');
    t.strictSame(of(['audio'], 10, [sha1Of(4)]), [4]);
    t.strictSame(of(['image'], 10, [sha1Of(4)]), []);
  },
);
