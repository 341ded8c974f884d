import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PartFile } from '../../../daemon/transfer/part-file.ts';
import { PLAIN_SOURCE } from '../../../protocol/transfer/downloads/source.ts';
import { DownloadRig } from '../../support/download-rig.ts';
import { eventually } from '../../support/loopback.ts';
import { SharedFiles, serve, testBytes } from '../../support/shared-files.ts';

t.test('a part file that cannot be closed costs neither the download nor the servent', async t => {
  const { close } = PartFile.prototype;
  t.teardown(() => {
    PartFile.prototype.close = close;
  });
  PartFile.prototype.close = async function (this: PartFile) {
    await close.call(this);
    // network folders tell of a full disk here, and not before
    throw Object.assign(new Error('EDQUOT: quota exceeded, close'), { code: 'EDQUOT', syscall: 'close' });
  };
  const files = new SharedFiles(t.testdir({ home: {} }));
  const content = testBytes(100_000);
  const { sha1, size, name } = files.add('song.mp3', content);
  const { port } = await serve(t, files);
  const rig = await DownloadRig.open(t, join(files.folder, 'home'));
  const sources = [{ ...PLAIN_SOURCE, endpoint: { host: '127.0.0.1', port } }];
  const { id } = await rig.downloads.add({ sha1, size, name, sources });
  const { path } = await rig.ended(id);
  t.ok(readFileSync(path ?? '').equals(content));
  await eventually('its run is over', () => rig.completed.length > 0);
});
