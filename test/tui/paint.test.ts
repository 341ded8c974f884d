import fc from 'fast-check';
import t from 'tap';
import { Canvas } from '../../tui/canvas.ts';
import { paint, sgr } from '../../tui/paint.ts';
import { BOLD, charsetOf, createTheme, depthOf, over, styleOf } from '../../tui/theme.ts';
import { FakeTerminal } from '../support/fake-terminal.ts';

t.test('text stays in its rectangle, and half a wide letter is never left behind', async t => {
  const canvas = new Canvas(6, 2);
  t.equal(canvas.put(1, 0, '雨の駅', 0), 4, 'the third one has no room');
  t.equal(canvas.toText(), ' 雨の\n');
  canvas.put(2, 0, 'x', 0);
  t.equal(canvas.toText(), '  xの\n');
  t.equal(canvas.put(0, 5, 'outside', 0), 0);
  t.equal(canvas.put(-3, 0, 'outside', 0), 0);
});

t.test('without Unicode everything else becomes a question mark', async t => {
  const canvas = new Canvas(8, 1, true);
  canvas.put(0, 0, 'Zoë 雨!', 0);
  t.equal(canvas.toText(), 'Zo? ? !');
});

t.test('a title and a note share the upper edge of a frame', async t => {
  const canvas = new Canvas(24, 3);
  const inner = canvas.frame(canvas.all, createTheme(0, 'unicode'), 'Peers', { note: '34' });
  t.strictSame(inner, { x: 1, y: 1, width: 22, height: 1 });
  t.equal(
    canvas.toText(),
    '╭─ Peers ───────── 34 ──╮\n│                      │\n╰──────────────────────╯'.replace('────── 34', '───── 34'),
  );
});

t.test('the same picture again costs nothing, a changed letter a few bytes', async t => {
  const before = new Canvas(80, 24);
  before.put(3, 3, 'hello', styleOf(4));
  const after = new Canvas(80, 24);
  after.put(3, 3, 'hallo', styleOf(4));
  t.equal(paint(before, before), '');
  t.equal(paint(before, after), `\x1b[4;5H${sgr(styleOf(4))}a\x1b[m`);
});

t.test('styles: sixteen colours by their short codes, the rest by index', async t => {
  t.equal(sgr(0), '\x1b[0m');
  t.equal(sgr(styleOf(1, 12, BOLD)), '\x1b[0;1;31;104m');
  t.equal(sgr(styleOf(245)), '\x1b[0;38;5;245m');
  t.equal(over(styleOf(3), styleOf(15, 24, BOLD)), styleOf(3, 24, BOLD));
});

t.test('colours and characters follow the environment', async t => {
  t.equal(depthOf({ TERM: 'xterm-256color' }), 256);
  t.equal(depthOf({ TERM: 'xterm' }), 16);
  t.equal(depthOf({ TERM: 'xterm-256color', NO_COLOR: '1' }), 0);
  t.equal(depthOf({ TERM: 'vt100' }), 0);
  t.equal(charsetOf({ LANG: 'de_DE.UTF-8' }), 'unicode');
  t.equal(charsetOf({ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }), 'ascii');
  t.equal(charsetOf({ TERM: 'linux', LANG: 'en_US.UTF-8' }), 'ascii');
  const colours = (style: number) => style & 0xfffff;
  for (const style of Object.values(createTheme(0, 'unicode')))
    if (typeof style === 'number') t.equal(colours(style), 0);
});

t.test('what a terminal shows after any two pictures is the second one', async t => {
  const word = fc.record({
    x: fc.nat({ max: 24 }),
    y: fc.nat({ max: 5 }),
    text: fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('雨の駅', 'ab雨', '🎉', '────')),
    style: fc.constantFrom(0, styleOf(3), styleOf(200, 17, BOLD)),
  });
  const picture = fc.array(word, { maxLength: 12 }).map(words => {
    const canvas = new Canvas(20, 5);
    for (const { x, y, text, style } of words) canvas.put(x, y, text, style);
    return canvas;
  });
  fc.assert(
    fc.property(picture, picture, (first, second) => {
      const terminal = new FakeTerminal(20, 5);
      terminal.write(paint(null, first));
      terminal.write(paint(first, second));
      if (terminal.toText() !== second.toText())
        t.fail(JSON.stringify([first.toText(), second.toText(), terminal.toText()]));
    }),
  );
  t.pass();
});
