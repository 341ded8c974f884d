import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { parseHostsFile, readHostsFile } from '../../../daemon/bootstrap/hosts-file.ts';

t.test("gtk-gnutella's and LimeWire's files are read", async t => {
  const folder = t.testdir({
    ultras: '# comment\n5.5.1.1:6346\n\n5.5.1.2:6347\r\n5.5.1.1:6346\nnonsense\n[2001:4860::1]:6346\n',
    'gnutella.net':
      '5.5.2.1:6346,30000,1290000000000,1;2,3,en,,0,,\n5.5.2.2:6346,,1290000000000,,,en,0,,,\nuhc.example.org:3558,,,,,,2,,,\n',
  });
  const ultras = await readHostsFile(join(folder, 'ultras'));
  t.match(ultras, { hosts: [{ host: '5.5.1.1' }, { host: '5.5.1.2' }, { host: '2001:4860::1' }], unreadable: 1 });
  t.equal(ultras.hosts.length, 3);
  t.strictSame(await readHostsFile(join(folder, 'gnutella.net')), {
    hosts: [{ host: '5.5.2.1', port: 6346 }],
    udpHostCaches: ['5.5.2.2:6346', 'uhc.example.org:3558'],
    unreadable: 0,
  });
  await t.rejects(readHostsFile(join(folder, 'none')), { code: 'ENOENT' });
});

t.test('any text gives a bounded list', async () => {
  fc.assert(fc.property(fc.string({ maxLength: 2000 }), text => parseHostsFile(text).hosts.length <= 10_000));
});
