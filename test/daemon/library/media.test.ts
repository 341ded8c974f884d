import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fieldsOf } from '../../../api/fields.ts';
import { parseFilter } from '../../../api/filter.ts';
import { file } from '../../../api/schemas/library.ts';
import { parseSort } from '../../../api/sort.ts';
import { fileList } from '../../../daemon/admin/lists.ts';
import { MediaReader } from '../../../daemon/library/media-reader.ts';
import { MediaStore, type StoredMedia } from '../../../daemon/store/media.ts';
import { Store } from '../../../daemon/store/store.ts';
import { mediaGgep, mediaMask } from '../../../protocol/wire/media-type.ts';
import { encodeQuery, parseQuery } from '../../../protocol/wire/query.ts';
import { openLibrary, spiedLog } from '../../support/library.ts';
import { wav } from '../../support/media-files.ts';

class CountingReader extends MediaReader {
  reads = 0;

  override read(request: Parameters<MediaReader['read']>[0]) {
    this.reads++;
    return super.read(request);
  }
}

async function scene(t: Test, folder: string, data: string) {
  const { log } = spiedLog();
  const store = await Store.open(join(data, 'media'), log);
  const reader = new CountingReader();
  const media = { store: new MediaStore(store.table<StoredMedia>('media'), log), reader };
  const opened = await openLibrary(t, data, [folder], { media });
  await opened.library.settled();
  await opened.library.mediaSettled();
  const close = async (): Promise<void> => {
    await opened.close();
    await store.close();
  };
  return { ...opened, reader, close };
}

const rich = (fields: string, ggep = [] as ReturnType<typeof mediaGgep>[]) =>
  parseQuery(
    encodeQuery({
      text: 'nothing-by-name',
      xml: `<?xml version="1.0"?><audios xsi:noNamespaceSchemaLocation="http://www.limewire.com/schemas/audio.xsd"><audio ${fields}/></audios>`,
      ggep,
    }),
  );

t.test('metadata goes into hits and answers rich queries, is read once, and leaves with its file', async t => {
  const root = t.testdir({
    share: {
      'track.wav': wav(3, { INAM: 'Moonlight', IART: 'Somebody' }),
      'bad.flac': 'not music at all',
      'a.txt': 'text',
    },
    data: {},
  });
  const [folder, data] = [join(root, 'share'), join(root, 'data')];
  const first = await scene(t, folder, data);
  t.equal(first.reader.reads, 2);
  t.strictSame(first.library.media, { known: 1, pending: 0, failed: 1 });
  await first.close();

  const { library, reader, messages, close } = await scene(t, folder, data);
  t.strictSame(library.media, { known: 1, pending: 0, failed: 1 });
  t.equal(reader.reads, 0, 'nothing is read again after a restart');
  t.strictSame(messages, [], 'and nothing is said again');
  const [found] = library.match(rich('artist="some" title="moonlight"'), 10);
  t.equal(found?.name, 'track.wav');
  t.strictSame(library.match(rich('artist="other" title="moonlight"'), 10), []);
  t.strictSame(library.match(rich('title="moonlight"', [mediaGgep(mediaMask(['video']))]), 10), []);
  t.equal(library.match(rich('title="moonlight"', [mediaGgep(mediaMask(['audio']))]), 10).length, 1);
  const all = [...library.shared()];
  const at = all.findIndex(({ name }) => name === 'track.wav');
  t.match(
    library.xmlOf(all),
    new RegExp(`<audio seconds="3" bitrate="64" title="Moonlight" artist="Somebody" index="${at}"/>`),
  );
  t.ok([...library.words()].includes('moonlight'), 'others can route such queries to us');

  await rm(join(folder, 'track.wav'));
  await rm(join(folder, 'bad.flac'));
  await library.rescan();
  await library.settled();
  t.strictSame(library.match(rich('title="moonlight"'), 10), []);
  t.equal(library.xmlOf([...library.shared()]), null);
  t.strictSame(library.media, { known: 0, pending: 0, failed: 0 });
  await close();
});

t.test('files are filtered and sorted by type, length and bit rate, also by what was read since', async t => {
  const share = { 'long.wav': wav(9, {}), 'short.wav': wav(2, {}), 'a.txt': 'text', 'b.unheard': 'x' };
  const root = t.testdir({ share, data: {} });
  const { library, close } = await scene(t, join(root, 'share'), join(root, 'data'));
  const list = fileList(library);
  const fields = fieldsOf(file);
  const ask = async (filter: string, sort: string) => {
    const request = { limit: 10, filter: parseFilter(filter, fields, 0), sort: parseSort(sort, fields) };
    const { items } = await list.page(request);
    return items.map(({ name, type, length, bitrate }) => [name, type, length, bitrate]);
  };
  const [long, short] = [
    ['long.wav', 'audio', 9, 64],
    ['short.wav', 'audio', 2, 64],
  ];
  t.strictSame(await ask('type = audio', '-length'), [long, short]);
  t.strictSame(await ask('length < 5 and bitrate >= 64', 'name'), [short]);
  t.strictSame(await ask('type = null and length = null', 'name'), [['b.unheard', null, null, null]]);
  await writeFile(join(root, 'share', 'third.wav'), wav(4, {}));
  await library.rescan();
  await library.settled();
  t.equal((await ask('type = audio', '-length')).length, 3);
  await library.mediaSettled();
  t.strictSame((await ask('length > 3', 'length'))[0], ['third.wav', 'audio', 4, 64]);
  await close();
});

t.test('metadata of a disk that is away is kept, that of deleted files is dropped', async t => {
  const share = {
    mnt: { one: { 'away.wav': wav(3, { INAM: 'Away' }) } },
    'deleted.wav': wav(2, {}),
    'a.wav': wav(1, {}),
  };
  const root = t.testdir({ share, data: {} });
  const [folder, data] = [join(root, 'share'), join(root, 'data')];
  const disk = join(folder, 'mnt', 'one');
  await (await scene(t, folder, data)).close();

  await rename(disk, join(root, 'disk'));
  await mkdir(disk);
  await rm(join(folder, 'deleted.wav'));
  const second = await scene(t, folder, data);
  t.strictSame(second.library.media, { known: 1, pending: 0, failed: 0 });
  await rm(disk, { recursive: true });
  await rename(join(root, 'disk'), disk);
  await second.library.rescan();
  await second.library.settled();
  await second.library.mediaSettled();
  t.strictSame(second.library.media, { known: 2, pending: 0, failed: 0 });
  t.equal(second.reader.reads, 0, 'what came back is not read again');
  await second.close();

  await writeFile(join(folder, 'deleted.wav'), wav(2, {}));
  const third = await scene(t, folder, data);
  t.equal(third.reader.reads, 1, 'what was deleted is');
  await third.close();
});
