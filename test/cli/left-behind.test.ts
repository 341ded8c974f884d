import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { gtkGnutella, parseConfigGnet } from '../../cli/import/gtk-gnutella.ts';
import { nothingYet, takeFolders, takeSetting } from '../../cli/import/left-behind.ts';
import { limewire } from '../../cli/import/limewire.ts';
import { projectRoot } from '../support/fixtures.ts';

const fixture = (servent: string) => join(projectRoot, 'test/fixtures', servent, 'folder');
const config = await readFile(join(fixture('gtk-gnutella'), 'config_gnet'), 'utf8');
const properties = await readFile(join(fixture('limewire'), 'limewire.props'), 'latin1');

t.test('config_gnet as gtk-gnutella wrote it', async t => {
  const values = parseConfigGnet(config);
  t.equal(values.get('shared_dirs'), '/srv/music:/srv/odd::name:/srv/music/live');
  t.equal(values.get('listen_port'), '6399');
  t.equal(values.get('configured_peermode'), undefined, 'a default is commented out');
  const folder = t.testdir({
    config_gnet: config,
    ultras: '5.5.8.1:6346 2025-06-01 14:27:10Z\n[2001:4860::1]:6346 2025-06-01 14:27:11Z\n',
    hosts: '5.5.8.1:6346 2025-06-01 14:27:10Z\n5.5.8.2:6347 2025-06-01 14:27:12Z\nnonsense\n',
  });
  t.strictSame(await gtkGnutella.read(folder), {
    hosts: [
      { host: '5.5.8.1', port: 6346 },
      { host: '2001:4860::1', port: 6346 },
      { host: '5.5.8.2', port: 6347 },
    ],
    caches: [],
    folders: ['/srv/music', '/srv/odd:name'],
    settings: new Map<string, unknown>([
      ['gnutella.port', 6399],
      ['gnutella.maxLeaves', 150],
      ['uploads.slots', 12],
      ['downloads.folder', '/srv/done'],
    ]),
    notes: ['/srv/music/live is inside /srv/music, and shared with it', 'hosts: 1 lines are not hosts'],
  });
});

t.test('peer modes by number; values that we would not take are said', async t => {
  const read = (text: string) => gtkGnutella.read(t.testdir({ config_gnet: text }));
  for (const [number, mode] of [
    ['0', 'leaf'],
    ['1', 'auto'],
    ['2', 'ultrapeer'],
  ])
    t.strictSame((await read(`configured_peermode = ${number}\n`)).settings, new Map([['gnutella.mode', mode]]));
  const odd = await read('configured_peermode = 7\nlisten_port = 99999\nshared_dirs = "music:/srv/a"\n');
  t.equal(odd.settings.size, 0);
  t.strictSame(odd.folders, ['/srv/a'], 'a path that begins nowhere is left out, as there');
  t.match(odd.notes, [/listen_port is "99999": gnutella.port takes a whole number/, /configured_peermode is "7"/]);
});

t.test('limewire.props as Java writes it, and gnutella.net', async t => {
  const folder = t.testdir({
    'limewire.props': Buffer.from(properties, 'latin1'),
    'gnutella.net':
      '5.5.2.1:6346,30000,1290000000000,1290000000000,,en,,0,ACTIVE,1,\nuhc.example.org:3558,,,,,,0,,,,\n',
    'library5.dat': 'rO0',
  });
  t.strictSame(await limewire.read(folder), {
    hosts: [{ host: '5.5.2.1', port: 6346 }],
    caches: ['uhc:uhc.example.org:3558'],
    folders: ['/home/ann/Müsik = laut', '/home/ann/Shared'],
    settings: new Map<string, unknown>([
      ['gnutella.port', 33461],
      ['gnutella.mode', 'leaf'],
      ['uploads.slots', 7],
      ['downloads.maxActive', 5],
      ['downloads.folder', '/home/ann/LimeWire/Saved: new'],
    ]),
    notes: [
      'shared folder C:\\Users\\ann\\Shared: not a path of this machine',
      'library5.dat is a stream of Java objects and was not read: share its folders with "servent share DIR"',
    ],
  });
});

t.test('a folder of something else is refused with what was expected', async t => {
  const folder = t.testdir({});
  await t.rejects(gtkGnutella.read(folder), /has no config_gnet: expected the folder of gtk-gnutella/);
  await t.rejects(limewire.read(folder), /has neither limewire.props nor gnutella.net/);
  await t.rejects(gtkGnutella.read(t.testdir({ config_gnet: 'x'.repeat(4 * 1024 * 1024 + 1) })), /more than the limit/);
});

t.test('folders inside others and wrong values leave a note, each once', async t => {
  const found = nothingYet();
  takeFolders(found, ['/a/b/', '/a/b', '/a/bc', '/a/b/c', '/']);
  t.strictSame(found.folders, ['/']);
  t.equal(found.notes.length, 3);
  takeSetting(found, 'gnutella.port', 'many', 'PORT');
  t.match(found.notes.at(-1), /^PORT is "many": gnutella.port takes a whole number/);
});
