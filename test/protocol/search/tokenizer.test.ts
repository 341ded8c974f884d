import fc from 'fast-check';
import t from 'tap';
import {
  delimitedWords,
  gtkgPrefixes,
  limeWirePrefixes,
  nameWords,
  QUERY_WORDS_MAX,
  queryWords,
  wordPrefixes,
} from '../../../protocol/search/tokenizer.ts';
import { readFixture } from '../../support/fixtures.ts';

t.test('words are what gtk-gnutella makes of a text', async t => {
  const cases: [string, string[]][] = [
    ['Quick-Brown_Fox (jumps).ogg', ['quick', 'brown', 'fox', 'jumps', 'ogg']],
    ['beta_report-2026.pdf', ['beta', 'report', '2026', 'pdf']],
    ["don't stop", ['don', 't', 'stop']],
    ['Éclair résumé.txt', ['eclair', 'resume', 'txt']],
    ['E\u0301clair', ['eclair']],
    ['ΣΊΣΥΦΟΣ σίσυφος', ['σισυφοσ']],
    ['Straße STRASSE', ['strasse']],
    ['İstanbul', ['istanbul']],
    ['ＦＵＬＬ ｗｉｄｔｈ', ['full', 'width']],
    ['ﬁle ②', ['file', '2']],
    ['Привет, мир!', ['привет', 'мир']],
    ['the 日本語 file', ['the', '日本語', 'file']],
    ['a\tb\u0007c', ['abc']],
    ['twice twice', ['twice']],
    ['😀 smile', ['smile']],
    ['  ---  ', []],
    ['', []],
  ];
  for (const [text, words] of cases) t.strictSame(queryWords(text), words, text);
});

t.test('a change of Unicode block ends a word', async t => {
  t.strictSame(queryWords('the日本語file'), ['the', '日本語', 'file']);
  t.strictSame(queryWords('smørrebrød'), ['sm', 'ø', 'rrebr', 'd']);
  t.strictSame(queryWords('カタカナひらがな'), ['カタカナ', 'ひらがな']);
});

t.test('voiced sound marks and viramas stay, as they change the word', async t => {
  t.strictSame(queryWords('ガ'), ['ガ']);
  t.notSame(queryWords('ガ'), queryWords('カ'));
  t.strictSame(queryWords('क्'), ['क्']);
});

t.test('a name is known by the words of both splitters', async t => {
  t.strictSame(nameWords("Don't Panic.txt").sort(), ["don't", 'don', 'dont', 'panic', 't', 'txt'].sort());
  t.strictSame(nameWords('Plain_name (1999).ogg'), ['plain', 'name', '1999', 'ogg']);
  t.ok(nameWords('R&B [live].mp3').includes('r&b'));
  t.ok(nameWords('résumé.pdf').includes('résumé'), 'as typed, for servents that hash a query as it came');
});

t.test('delimited words are what LimeWire puts into its tables', async t => {
  t.strictSame(delimitedWords("Don't Panic.txt"), ['dont', 'panic', 'txt']);
  t.strictSame(delimitedWords('AC/DC [live] résumé'), ['ac', 'dc', '[live]', 'resume']);
});

t.test('prefixes are those of the vectors', async t => {
  const { qrp_prefixes } = readFixture<{ qrp_prefixes: { word: string; limewire: string[]; gtkg: string[] }[] }>(
    'vectors/vectors.json',
  );
  for (const { word, limewire, gtkg } of qrp_prefixes) {
    t.strictSame(limeWirePrefixes(word), limewire, word);
    t.strictSame(gtkgPrefixes(word), gtkg, word);
    t.strictSame(new Set(wordPrefixes(word)), new Set([...limewire, ...gtkg]), word);
  }
});

t.test('prefixes never cut a code point in two', async t => {
  t.strictSame(gtkgPrefixes('𐐨𐐩𐐪'), ['𐐨𐐩𐐪', '𐐨𐐩', '𐐨']);
  t.strictSame(gtkgPrefixes('日本'), ['日本']);
});

t.test('a query is bounded', async t => {
  const many = Array.from({ length: 500 }, (_, i) => `w${i}`).join(' ');
  t.equal(queryWords(many).length, QUERY_WORDS_MAX);
  t.ok(queryWords('x'.repeat(1e6)).every(word => word.length <= 1024));
});

t.test('the fast path for ASCII agrees with the long way', async () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.integer({ min: 0, max: 0x7f }).map(c => String.fromCharCode(c)) }), text => {
      // one Cyrillic word at the end sends the rest the long way
      const long = queryWords(`${text} мир`).filter(word => word !== 'мир');
      return JSON.stringify(queryWords(text)) === JSON.stringify(long);
    }),
    { numRuns: 500 },
  );
});

t.test('any text gives words without separators, and the same words again', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), text => {
      const words = queryWords(text);
      const again = queryWords(words.join(' '));
      const names = new Set(nameWords(text));
      return words.every(
        word => word.length > 0 && !/[\s._\-A-Z]/.test(word) && names.has(word) && again.includes(word),
      );
    }),
    { numRuns: 300 },
  );
});
