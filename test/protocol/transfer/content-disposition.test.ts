import fc from 'fast-check';
import t from 'tap';
import { nameInDisposition } from '../../../protocol/transfer/content-disposition.ts';
import { safeFileName } from '../../../protocol/transfer/file-name.ts';

t.test('names as RFC 6266, servents and servers write them', async t => {
  for (const [text, name] of [
    ['attachment; filename="a song.mp3"', 'a song.mp3'],
    ['inline; filename=song.mp3', 'song.mp3'],
    ['attachment; filename="a \\"b\\".txt"', 'a _b_.txt'],
    ["attachment; filename*=UTF-8''%e2%82%ac%20rates.txt", '€ rates.txt'],
    ['attachment; filename="EURO rates.txt"; filename*=utf-8\'\'%e2%82%ac%20rates.txt', '€ rates.txt'],
    // of gtk-gnutella 1.2.3
    ['inline; filename*="utf-8\'en\'beta%20only%20in%20the%20dht.bin"', 'beta only in the dht.bin'],
    ['inline; filename*="utf-8\'en\'n%c3%b4ch.ogg"; filename="x"', 'nôch.ogg'],
    ['inline; filename*="utf-8', null],
    ["attachment; filename*=ISO-8859-1''caf%E9.txt", 'café.txt'],
    [`attachment; filename="${Buffer.from('ночь.ogg').toString('latin1')}"`, 'ночь.ogg'],
    ['attachment; filename="caf\xe9.txt"', 'café.txt'],
    ['attachment; filename="../../etc/passwd"', 'passwd'],
    ['attachment; filename="C:\\\\Windows\\\\win.ini"', 'win.ini'],
    ['attachment; filename=".bashrc"', '_bashrc'],
    ['attachment; filename=".."', null],
    ['attachment; filename="/"', null],
    ['attachment; filename="nul.tar.gz"', null],
    ['attachment', null],
    ['attachment; filename=""', null],
    ["attachment; filename*=KOI8-R''%EE.txt", null],
    ['filename=a', null],
    ['', null],
    [`attachment; filename="${'a'.repeat(3000)}"`, null],
  ] as const)
    t.equal(nameInDisposition(text), name, JSON.stringify(text.slice(0, 60)));
});

t.test('whatever a source writes, the name is safe', async t => {
  const written = fc.oneof(
    fc.string(),
    fc.string().map(name => `attachment; filename="${name}"`),
  );
  fc.assert(
    fc.property(written, text => {
      const name = nameInDisposition(text);
      return name === null || name === safeFileName(name);
    }),
  );
  t.pass();
});
