import t from 'tap';
import { linkIn } from '../../../protocol/wire/pasted-link.ts';

const MANY = 300_000;

t.test('a paste of any length is read in one pass: signs, blanks and lines without end hold nobody up', t => {
  t.equal(linkIn(' '.repeat(MANY)), null);
  t.equal(linkIn('!'.repeat(MANY)), null);
  t.equal(linkIn('!urn'.repeat(MANY)), null);
  t.equal(linkIn(`urn:sha1:${'!'.repeat(MANY)}a;`), `urn:sha1:${'!'.repeat(MANY)}a`);
  t.equal(linkIn(`<magnet:?xt=1${' '.repeat(MANY)}x>`), `magnet:?xt=1${' '.repeat(MANY)}x`);
  t.equal(linkIn('<magnet:?xt=urn:sha1: \r\n  ABC \n>'), 'magnet:?xt=urn:sha1:ABC');
  t.equal(linkIn('"(urn:sha1:ABC)."'), 'urn:sha1:ABC');
  t.end();
});
