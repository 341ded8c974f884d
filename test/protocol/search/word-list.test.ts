import fc from 'fast-check';
import t from 'tap';
import { WordList } from '../../../protocol/search/word-list.ts';

t.test('words keep their numbers, and those that begin alike are found in order, whatever comes and goes', async () => {
  const word = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 6 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }),
  );
  const step = fc.record({ word, add: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.array(word, { maxLength: 10 }), (steps, prefixes) => {
      const words = new WordList();
      const numbers = new Map<string, number>();
      for (const { word, add } of steps) {
        const known = numbers.get(word);
        if (add) {
          const number = words.add(word);
          if (known !== undefined && known !== number) return false;
          numbers.set(word, number);
        } else if (known !== undefined) {
          words.delete(known);
          numbers.delete(word);
        }
      }
      const sorted = [...numbers.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      return (
        words.size === numbers.size &&
        [...words.words()].sort().join('\0') === [...numbers.keys()].sort().join('\0') &&
        prefixes.every(prefix => {
          const begin = sorted.filter(each => each.startsWith(prefix)).map(each => numbers.get(each));
          return (
            words.find(prefix) === (numbers.get(prefix) ?? -1) &&
            words.findPrefixed(prefix, 1e6).join() === begin.join()
          );
        })
      );
    }),
    { numRuns: 200 },
  );
});

t.test('thousands of words, in order and not, stay sorted in their blocks', async t => {
  const words = new WordList();
  for (let i = 0; i < 3000; i++) words.add(`in${String(i).padStart(6, '0')}`);
  for (let i = 0; i < 3000; i++) words.add(`mixed${(i * 7919) % 3000}`);
  t.equal(words.findPrefixed('in00', 1e6).length, 3000);
  t.equal(words.findPrefixed('mixed', 1e6).length, 3000);
  t.equal(words.findPrefixed('mixed29', 1e6).length, 111);
  t.equal(words.findPrefixed('mixed', 7).length, 7);
  for (let i = 0; i < 3000; i += 2) words.delete(words.find(`in${String(i).padStart(6, '0')}`));
  t.equal(words.findPrefixed('in', 1e6).length, 1500);
  t.equal(words.find('in000001') >= 0 && words.find('in000002'), -1);
});
