import fc from 'fast-check';
import t from 'tap';
import { type Category, categoryOf, readCategory } from '../../../../protocol/transfer/downloads/category.ts';
import { nameByTemplate } from '../../../../protocol/transfer/downloads/name-template.ts';

const CATEGORIES: Category[] = [
  { name: 'live', rules: [{ names: ['*live*'], types: ['audio'] }] },
  { name: 'music', rules: [{ types: ['audio'] }, { extensions: ['cue'], maxSize: 1000 }] },
  { name: 'large', rules: [{ minSize: 1e9 }] },
  { name: 'by hand' },
];

t.test('a file belongs to the first category with a rule that fits', async t => {
  const of = (name: string, size: number | null = null) => categoryOf(CATEGORIES, name, size)?.name ?? null;
  t.equal(of('Band - Song (LIVE).MP3'), 'live');
  t.equal(of('song.flac'), 'music');
  t.equal(of('live.avi'), null, 'all conditions have to be met');
  t.equal(of('x.CUE', 1000), 'music');
  t.equal(of('x.cue', 1001), null);
  t.equal(of('x.cue'), null, 'a size that is not known fits no rule that asks for one');
  t.equal(of('x.iso', 2e9), 'large');
});

t.test('what is wrong with an entry is said', async t => {
  t.strictSame(readCategory(CATEGORIES[0]), CATEGORIES[0]);
  const whole = {
    name: 'a',
    folder: '/a',
    maxActive: 2,
    limit: 0,
    share: true,
    nameTemplate: '{artist}_{title}.{ext}',
  };
  t.strictSame(readCategory(whole), whole);
  for (const [given, said] of [
    [null, /such as {name: music/],
    [[], /a name/],
    [{ name: 'A' }, /^name: up to 40 small letters/],
    [{ name: 'a', foldr: '/x' }, /remove foldr/],
    [{ name: 'a', folder: 'music' }, /whole path/],
    [{ name: 'a', maxActive: 0 }, /from 1 to 1000/],
    [{ name: 'a', limit: -1 }, /^limit/],
    [{ name: 'a', share: 'yes' }, /true or false/],
    [{ name: 'a', share: true }, /a folder that can be shared/],
    [{ name: 'a', nameTemplate: '{album}' }, /no {album}; there are {name}/],
    [{ name: 'a', nameTemplate: '{artist}/{title}' }, /without slashes/],
    [{ name: 'a', rules: {} }, /list of up to/],
    [{ name: 'a', rules: [{}] }, /at least one of names/],
    [{ name: 'a', rules: [{ size: 1 }] }, /nothing else/],
    [{ name: 'a', rules: [{ names: [''] }] }, /patterns/],
    [{ name: 'a', rules: [{ extensions: ['.mp3'] }] }, /without dots/],
    [{ name: 'a', rules: [{ types: ['music'] }] }, /audio, video/],
    [{ name: 'a', rules: [{ minSize: 1.5 }] }, /whole number of bytes/],
  ] as const)
    t.match(readCategory(given), said);
});

t.test('a template makes the name; a field that is not known leaves it as it is', async t => {
  const template = '{artist} - {title}.{ext}';
  t.equal(nameByTemplate(template, '07. The Band - A Song.mp3', 'music'), 'The Band - A Song.mp3');
  t.equal(nameByTemplate(template, 'noise.mp3', 'music'), 'noise.mp3');
  t.equal(nameByTemplate(template, 'A - B', 'music'), 'A - B', 'no extension');
  t.equal(nameByTemplate('{category} {type} {stem} ({ext})', 'a.b.ogg', 'music'), 'music audio a.b (ogg)');
  t.equal(nameByTemplate('got {name}', 'x', 'c'), 'got x');
  fc.assert(
    fc.property(fc.string(), name => typeof nameByTemplate(template, name, 'c') === 'string'),
    { numRuns: 200 },
  );
});
