// Checks of plain data: what has a shape, and what only nearly has it.
import t from 'tap';
import { neverShared, neverSharedList } from '../../settings/never-shared.ts';
import {
  leftOutOr,
  listOf,
  numberFrom,
  oneIn,
  record,
  type Shape,
  text,
  textLike,
  textUpTo,
} from '../../settings/shape.ts';

t.test('each shape takes what it says and nothing else', async t => {
  const rows: readonly [string, Shape, readonly unknown[], readonly unknown[]][] = [
    ['text', text, ['a'], ['', 1, null, undefined, ['a']]],
    ['textLike', textLike(/^a+$/), ['a', 'aa'], ['', 'b', 1, null, ['a']]],
    ['textUpTo', textUpTo(2), ['', 'ab'], ['abc', 1, null, []]],
    ['numberFrom', numberFrom(1, 2), [1, 1.5, 2], [0.9, 2.1, Number.NaN, '1', null]],
    ['oneIn', oneIn(new Set(['a', 1])), ['a', 1], ['b', '1', undefined]],
    ['listOf', listOf(text, 1, 2), [['a'], ['a', 'b']], [[], ['a', 'b', 'c'], [''], 'a', { length: 1, 0: 'a' }, null]],
    ['leftOutOr', leftOutOr(text), [undefined, 'a'], [null, '', 1]],
    [
      'record',
      record({ a: text, b: leftOutOr(text) }),
      [{ a: 'a' }, { a: 'a', b: 'b' }],
      [{}, { b: 'b' }, { a: 'a', c: 1 }, JSON.parse('{"a":"a","__proto__":{}}'), null, 'a', ['a']],
    ],
  ];
  for (const [name, shape, good, bad] of rows) {
    for (const value of good) t.ok(shape(value), `${name}: ${JSON.stringify(value)}`);
    for (const value of bad) t.notOk(shape(value), `${name}, not: ${JSON.stringify(value)}`);
  }
});

t.test('a list of what is never shared that leaves something unsaid stops everything', async t => {
  const { list } = neverShared();
  t.equal(neverSharedList(list), list);
  const [first] = list.firstBytes;
  const { names: _, ...withoutNames } = list;
  for (const wrong of [
    null,
    [],
    {},
    withoutNames,
    { ...list, more: 1 },
    { ...list, places: [{ path: '/etc' }] },
    { ...list, places: [{ path: '/etc', reason: 'r', below: 'yes' }] },
    { ...list, homesIn: [''] },
    { ...list, signs: [{ has: 'x' }] },
    { ...list, names: [{ rule: 'r', reason: 'r', names: [] }] },
    { ...list, fileSystems: [{ name: 'n', type: '0x9fa0', reason: 'r' }] },
    { ...list, firstBytes: [{ ...first, text: 'a', hex: '00' }] },
    { ...list, firstBytes: [{ rule: 'r', reason: 'r' }] },
    { ...list, firstBytes: [{ rule: 'r', reason: 'r', hex: '0' }] },
    { ...list, firstBytes: [{ rule: 'r', reason: 'r', text: 'a', at: -1 }] },
  ])
    t.throws(() => neverSharedList(wrong), TypeError, JSON.stringify(wrong)?.slice(0, 60));
});
