import fc from 'fast-check';
import t from 'tap';
import { namesFile } from '../../../../protocol/transfer/uploads/requested-name.ts';

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

t.test('a name is known however an old servent writes it', async t => {
  for (const [asked, name] of [
    ['100% moon.ogg', '100% moon.ogg'],
    ['100%25%20moon.ogg', '100% moon.ogg'],
    ['100%25+moon.ogg', '100% moon.ogg'],
    ['a+b.ogg', 'a+b.ogg'],
    ['a%2Bb+c.ogg', 'a+b c.ogg'],
    ['a%20b.ogg', 'a%20b.ogg'],
    ['a b.ogg/', 'a b.ogg'],
    ['what? no.ogg', 'what? no.ogg'],
    ['a.ogg?x=1', 'a.ogg'],
    ['a b', 'a b '],
    ['caf\xe9.ogg', 'café.ogg'],
    ['caf%E9.ogg', 'café.ogg'],
    [latin1('café.ogg'), 'café.ogg'],
    ['cafe%CC%81.ogg', 'café.ogg'],
    ['caf%C3%A9.ogg', 'cafe\u0301.ogg'],
    [latin1(latin1('日本.ogg')), '日本.ogg'],
  ] as const)
    t.ok(namesFile(asked, name), `${asked} is ${name}`);
});

t.test('another name is another file', async t => {
  for (const [asked, name] of [
    ['', 'a.ogg'],
    ['/', 'a.ogg'],
    ['a', 'a.ogg'],
    ['a.ogg.exe', 'a.ogg'],
    ['A.ogg', 'a.ogg'],
    ['a%2Bb.ogg', 'a b.ogg'],
    ['%25', '%25%25'],
    ['x'.repeat(200), 'x'.repeat(250)],
    [`${'x'.repeat(254)}y`, 'x'.repeat(300)],
  ] as const)
    t.notOk(namesFile(asked, name), `${asked} is not ${name}`);
});

t.test('a name that was cut at 255 bytes is known, also in the midst of a character or an escape', async t => {
  const name = `${'日本語 '.repeat(40)}.ogg`;
  for (const whole of [latin1(name), encodeURIComponent(name), encodeURIComponent(name).replaceAll('%20', '+')])
    for (const bytes of [252, 253, 254, 255, 300]) t.ok(namesFile(whole.slice(0, bytes), name), `${bytes} bytes`);
});

t.test('any name is known raw and escaped, and no text is an exception', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ maxLength: 60 }), (name, other) => {
      namesFile(other, name);
      const plain = Buffer.from(name, 'utf8').toString('utf8');
      return namesFile(encodeURIComponent(plain), plain) && namesFile(latin1(plain), plain);
    }),
  );
});
