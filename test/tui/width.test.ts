import fc from 'fast-check';
import t from 'tap';
import { clip, fit, fitEnd, glyphs, REPLACEMENT, textWidth, wrap } from '../../tui/width.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 80 });

t.test('letters take one cell, East Asian letters and pictures two, marks none', async t => {
  for (const [text, width] of [
    ['abc', 3],
    ['雨の駅', 6],
    ['한국어', 6],
    ['Ｆ', 2],
    ['🎉', 2],
    ['e\u0301', 1],
    ['ถ้า', 2],
    ['é…·', 3],
    ['', 0],
  ] as const)
    t.equal(textWidth(text), width, JSON.stringify(text));
});

t.test('what moves the cursor, changes colours or turns the reading direction is shown as a replacement', async t => {
  const shown = glyphs('a\u001b[2J\u202e\u0007\n\u200f\ud800\ue000z')
    .map(({ text }) => text)
    .join('');
  t.equal(shown, `a${REPLACEMENT}[2J${REPLACEMENT.repeat(6)}z`);
});

t.test('stacked accents, joiners and variation selectors cannot pile up', async t => {
  t.strictSame(glyphs(`z${'\u0300'.repeat(40)}`), [{ text: 'z\u0300\u0300', width: 1 }]);
  t.strictSame(
    glyphs('👩\u200d👧\ufe0f').map(({ text }) => text),
    ['👩', '👧'],
  );
  t.equal(
    glyphs('🇩🇪')
      .map(({ text }) => text)
      .join(''),
    'DE',
  );
});

t.test('a cut ends in an ellipsis, between words when there is a gap nearby', async t => {
  t.equal(clip('Slow Train North.mp3', 12), 'Slow Train…');
  t.equal(clip('Slow Train North.mp3', 20), 'Slow Train North.mp3');
  t.equal(clip('abcdefghijklmnop', 8), 'abcdefg…');
  t.equal(clip('Ålesund Quartet - Café', 19), 'Ålesund Quartet…');
  t.equal(clip('雨の駅', 4), '雨…');
  t.equal(clip('abc', 1), '…');
  t.equal(clip('abc', 0), '');
});

t.test('any text fitted to a width takes exactly that width', async t => {
  fc.assert(
    fc.property(anyText, fc.nat({ max: 60 }), fc.boolean(), (text, width, right) => {
      t.equal(textWidth(fit(text, width, right)), width);
    }),
  );
});

t.test('any text clipped is no wider, and a text that fits stays whole', async t => {
  fc.assert(
    fc.property(anyText, fc.nat({ max: 60 }), (text, width) => {
      const clipped = clip(text, width);
      if (textWidth(clipped) > width) t.fail(JSON.stringify([text, width]));
      if (textWidth(text) <= width && textWidth(clipped) !== textWidth(text)) t.fail(JSON.stringify([text, width]));
    }),
  );
});

t.test('wrapped lines are no wider than asked and no more than asked', async t => {
  t.strictSame(wrap('to be or not to be', 6), ['to be', 'or not', 'to be']);
  t.strictSame(wrap('to be or not to be', 6, 2), ['to be', 'or no…']);
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }), (text, width, max) => {
      const lines = wrap(text, width, max);
      if (lines.length > max || lines.some(line => textWidth(line) > width)) t.fail(JSON.stringify([text, width, max]));
    }),
  );
});

t.test('a long path shows its end', async t => {
  t.equal(fitEnd('/home/ada/Music', 8), '…a/Music');
  t.equal(fitEnd('short', 8), 'short   ');
  t.equal(textWidth(fitEnd('/home/ada/音楽', 6)), 6);
  t.match(fitEnd('/home/ada/音楽', 6), /音楽 ?$/);
});
