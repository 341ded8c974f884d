import t from 'tap';
import { fileOfMagnet, filesOfMetalink, unusableLink } from '../../../../protocol/transfer/downloads/linked-file.ts';
import { formatEndpoint } from '../../../../protocol/wire/endpoint.ts';
import { formatUrn } from '../../../../protocol/wire/urn.ts';

const B = 'PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB';
const OTHER = 'ORWD6TJINRJR4BS6RL3W4CWAQ2EDDRVU';
const TIGER = 'L66Q4YVNAFWVS23X2HJIRA5ZJ7WXR3F26RSASFA';

t.test('what of a magnet link is not used is said, each with the reason', async t => {
  const sources = [
    'http://192.0.2.1:6346/uri-res/N2R?a',
    'http://files.example/a',
    'https://192.0.2.1/a',
    'ed2k://|file|a|1|b|/',
    'http://me:secret@192.0.2.1/a',
    'http://[::1',
    `urn:sha1:${B}`,
    `urn:sha1:${OTHER}`,
    'nonsense\u001b[2J',
  ];
  const link = `magnet:?xt=urn:bitprint:${B}.${TIGER}&xt.2=urn:btih:12&kt=blue+moon&kt=mp3${sources.map(url => `&xs=${encodeURIComponent(url)}`).join('')}`;
  const file = fileOfMagnet(link);
  t.equal(formatUrn(file), `urn:bitprint:${B}.${TIGER}`);
  t.equal(file.words, 'blue moon mp3');
  t.strictSame(
    file.sources.map(({ endpoint }) => formatEndpoint(endpoint)),
    ['192.0.2.1:6346'],
  );
  t.strictSame(file.unused, [
    'urn:btih is of another network',
    'http://files.example/a: names of hosts are not looked up',
    'https://192.0.2.1/a: only http:// is fetched',
    'ed2k://|file|a|1|b|/: only http:// is fetched',
    'http://me:secret@192.0.2.1/a: asks for a password',
    'http://[::1: is no address',
    `urn:sha1:${OTHER}: is another content`,
    'nonsense?[2J: only http:// is fetched',
  ]);
});

t.test('a malformed hash of ours is no hash of another network', async t => {
  t.strictSame(fileOfMagnet('magnet:?xt=urn:sha1:AAAA').unused, ['the hash in urn:sha1 is malformed']);
});

t.test('a long list of what is not used is cut', async t => {
  const { unused } = fileOfMagnet(`magnet:?xt=urn:sha1:${B}${'&as=ftp://192.0.2.1/a'.repeat(60)}`);
  t.equal(unused.length, 32);
  t.equal(unused.at(-1), '29 more');
});

t.test('a link by which nothing can be fetched says why, and what can be done', async t => {
  t.equal(
    unusableLink(fileOfMagnet(`magnet:?xt=urn:tree:tiger:${TIGER}&dn=a%20song.ogg`)),
    'the magnet link has neither xt=urn:sha1:… nor a usable source (xs=, as=); by the root of a hash tree alone no servent is asked; search for its words: "a song.ogg"',
  );
});

t.test('the files of a description have safe names', async t => {
  const inner = `<hash type="sha-512">0</hash><hash type="sha-1">${B}</hash><url>http://192.0.2.1/a</url><url>https://files.example/a</url>`;
  const [file] = filesOfMetalink(
    `<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="../../etc/con">${inner}<metaurl>x</metaurl></file></metalink>`,
  );
  t.match(file, {
    name: 'noname',
    words: null,
    sources: [{ endpoint: { host: '192.0.2.1', port: 80 }, target: '/a' }],
  });
  t.strictSame(file?.unused, [
    'sha-512: files are checked by SHA-1 and tiger tree',
    '1 more addresses: too many, or of other descriptions',
    'https://files.example/a: only http:// is fetched',
  ]);
});
