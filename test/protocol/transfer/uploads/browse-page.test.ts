import t from 'tap';
import type { BrowsableFile } from '../../../../protocol/transfer/uploads/browse-hits.ts';
import { browsePage } from '../../../../protocol/transfer/uploads/browse-page.ts';
import { parseTarget } from '../../../../protocol/transfer/uploads/request-target.ts';
import { formatUrn } from '../../../../protocol/wire/urn.ts';
import { gtkgReplies } from '../../../support/captured-http.ts';

const file = (name: string, more: Partial<BrowsableFile> = {}): BrowsableFile => ({
  ...{ index: 1, name, size: 15, sha1: Buffer.alloc(20, 7), tigerRoot: null, modifiedAt: 0 },
  ...more,
});
const pageOf = (files: Iterable<BrowsableFile>, max?: number): string =>
  Buffer.concat([...browsePage(files, 'servent/1.0', max)]).toString();
const linksOf = (page: string): string[] => [...page.matchAll(/<a href="([^"]*)">/g)].map(([, href = '']) => href);

t.test('the links are those of the page that gtk-gnutella makes of the same files', async t => {
  const [captured] = gtkgReplies('http-browse-html');
  const theirs = linksOf(captured?.body.toString() ?? '');
  t.equal(theirs.length, 6);
  const files = theirs.map(href => {
    const target = parseTarget(href);
    if (target.kind !== 'file' || target.urn.sha1 === null) throw new Error(href);
    t.match(formatUrn(target.urn), /^urn:sha1:/);
    return file('x', { sha1: target.urn.sha1 });
  });
  t.strictSame(linksOf(pageOf(files)), theirs);
});

t.test('names and folders are text, whatever is in them', async t => {
  const page = pageOf([file(`<script>alert("1 & '2'")</script>\n\u202egpj.exe`, { seenFolder: 'Music/"<b>' })]);
  t.notMatch(page, /<script|<b>/);
  t.match(page, '<bdi>&lt;script&gt;alert(&quot;1 &amp; &apos;2&apos;&quot;)&lt;/script&gt; \u202egpj.exe</bdi></a>');
  t.match(page, '<td><bdi>Music/&quot;&lt;b&gt;</bdi></td>');
  t.match(page, '<title>Files shared by servent/1.0</title>');
  t.match(pageOf([file('Éclair résumé 東京.txt')]), '<bdi>Éclair résumé 東京.txt</bdi>');
});

t.test('sizes are in binary units', async t => {
  const page = pageOf([0, 1023, 5000, 2_500_000, 5 * 2 ** 40].map(size => file('a', { size })));
  const sizes = [...page.matchAll(/<td>([^<]*)<\/td><\/tr>/g)].map(([, text]) => text);
  t.strictSame(sizes, ['0 B', '1023 B', '4.88 KiB', '2.38 MiB', '5.00 TiB']);
});

t.test('the page lists so many files and says when there are more', async t => {
  const files = Array.from({ length: 250 }, (_, i) => file(`f${i}`));
  t.match(pageOf(files), '<p>250 files.</p>');
  t.match(pageOf(files, 250), '<p>250 files.</p>');
  const cut = pageOf(files, 249);
  t.equal(linksOf(cut).length, 249);
  t.match(cut, '<p>Only the first 249 files are listed; there are more.</p>');
  t.match(pageOf(files.slice(0, 1)), '<p>1 file.</p>');
  t.match(pageOf([]), '<p>No files are shared.</p>');
  t.match(pageOf([]), /<\/html>\n$/);
  t.equal([...browsePage(files, 'x')].length, 3, 'in pieces');
});

t.test('files are taken from the list only as far as the page is read', async t => {
  let taken = 0;
  function* endless(): Generator<BrowsableFile> {
    for (;;) yield file(`f${taken++}`);
  }
  const pieces = browsePage(endless(), 'x');
  pieces.next();
  t.equal(taken, 100);
  pieces.return(undefined);
});
