// gitignore patterns of what a shared folder leaves out.
import t from 'tap';
import { Exclusion, excludePattern } from '../../settings/exclusion.ts';

const ruleOf = (patterns: string[], below: string, kind: 'file' | 'folder' = 'file'): string | null =>
  new Exclusion(patterns).ruleFor(below, kind)?.rule ?? null;

t.test('patterns leave out what git would ignore, and each says that it was the one', t => {
  const rows: [pattern: string, below: string, kind: 'file' | 'folder', isOut: boolean][] = [
    ['*.iso', 'disk.iso', 'file', true],
    ['*.iso', 'deep/er/disk.ISO', 'file', true],
    ['*.iso', 'disk.iso.txt', 'file', false],
    ['/drafts/', 'drafts', 'folder', true],
    ['/drafts/', 'drafts', 'file', false],
    ['/drafts/', 'music/drafts', 'folder', false],
    ['/drafts/', 'drafts/song.ogg', 'file', true],
    ['drafts/', 'music/drafts', 'folder', true],
    ['music/**/demo', 'music/a/b/demo', 'file', true],
    ['\\#one', '#one', 'file', true],
    ['one\\ ', 'one ', 'file', true],
    ['one\\ ', 'one', 'file', false],
    ['[a-c].txt', 'b.txt', 'file', true],
    ['Lied.ogg', 'Lied.ogg', 'file', true],
    ['über*', 'überall.txt', 'file', true],
    ['über*', 'u\u0308berall.txt', 'file', true],
  ];
  for (const [pattern, below, kind, isOut] of rows)
    t.equal(ruleOf([pattern], below, kind), isOut ? `exclude: ${pattern}` : null, `${pattern} and ${kind} ${below}`);
  t.equal(ruleOf(['u\u0308ber/'], 'Über/all.txt'), 'exclude: über/', 'and the other way round');
  t.end();
});

t.test('a later pattern wins, also to take something back in', t => {
  t.equal(ruleOf(['*.iso', '!keep.iso'], 'keep.iso'), null);
  t.equal(ruleOf(['!keep.iso', '*.iso'], 'keep.iso'), 'exclude: *.iso');
  t.equal(
    ruleOf(['/out/', '!/out/keep.iso'], 'out/keep.iso'),
    'exclude: /out/',
    'not out of a folder that is left out',
  );
  t.equal(ruleOf([], 'keep.iso'), null);
  t.end();
});

t.test('a name that is no path of git is asked about without an error', t => {
  for (const below of ['', '.', '..', '../x', '/x', './x', 'a\nb.iso', ' x.iso', '..x', 'a\\b.iso'])
    t.doesNotThrow(() => ruleOf(['*.iso'], below), JSON.stringify(below));
  t.equal(ruleOf(['*.iso'], 'a\nb.iso'), 'exclude: *.iso');
  t.end();
});

t.test('a pattern that excludes nothing, or not what was meant, is refused', t => {
  const bad = [
    '',
    ' ',
    '/',
    '!',
    '!/',
    '#comment',
    'a\0b',
    'a\nb',
    '[abc',
    'x[!',
    'a\\',
    'x'.repeat(1001),
    '**/a/**/b/**/c/**/d',
    7,
    null,
  ];
  for (const pattern of bad) t.equal(excludePattern.check(pattern).ok, false, JSON.stringify(pattern));
  for (const pattern of [
    '*.iso',
    '!keep.iso',
    '/a/',
    '**/b',
    '\\#c',
    '[a-z]',
    '[]x]',
    '[[:alpha:]]',
    '\\[abc',
    'a b',
    '*',
  ])
    t.equal(excludePattern.check(pattern).ok, true, pattern);
  t.equal(excludePattern.check('one\\ ').ok, true, 'a blank at its end');
  t.end();
});

t.test('what was asked before does not change the answer, however much it was', t => {
  const exclusion = new Exclusion(['*.iso', '!keep.iso']);
  for (let i = 0; i < 25_000; i++) exclusion.ruleFor(`a/${i}.iso`, 'file');
  t.equal(exclusion.ruleFor('a/1.iso', 'file')?.rule, 'exclude: *.iso');
  t.equal(exclusion.ruleFor('keep.iso', 'file'), null);
  t.end();
});
