import t from 'tap';
import { attention, type Known } from '../../../daemon/doctor/attention.ts';
import type { FolderStatus } from '../../../daemon/library/shared-folder.ts';
import { budgetOf } from '../../../protocol/bandwidth/budget.ts';
import { resolveSettings } from '../../../settings/resolve.ts';

const { settings } = await resolveSettings({ env: {}, flags: { profile: 'local', dataDir: '/nowhere' } });

const WELL: Known = {
  settings,
  waiting: [],
  folders: [],
  blockListFaults: [],
  damagedAside: null,
  lostBytes: 0,
  budget: budgetOf(1000, 899, 60),
  lostParts: { count: 0, bytes: 0, paths: [] },
  hooks: [{ id: 'well', error: null }],
  eventsTrouble: null,
  recordingTrouble: null,
  logTrouble: null,
  port: 6346,
  udpTaken: false,
  closed: null,
  proxy: null,
  portFile: null,
  clockMovedMs: 3_600_000,
};

const folder = (error: string | null, unread = true): FolderStatus => ({
  id: '1',
  path: '/music',
  state: 'ready',
  files: 1,
  bytes: 1,
  scannedAt: 0,
  error,
  unread,
  leftOut: [],
  exclude: [],
  force: false,
  label: null,
});

const ILL: readonly [known: Partial<Known>, name: string, state: 'warning' | 'bad', detail: RegExp][] = [
  [
    { folders: [folder(null), folder('1 could not be read, the first: closed')] },
    'shared folder',
    'bad',
    /^\/music: 1/,
  ],
  [{ folders: [folder('names that are not UTF-8', false)] }, 'shared folder', 'warning', /not UTF-8/],
  [{ folders: [folder('/music does not exist')] }, 'shared folder', 'bad', /^\/music does not exist$/],
  [{ blockListFaults: [{ path: '/l.p2p', detail: 'has nothing in it' }] }, 'block list', 'bad', /^\/l.p2p has nothing/],
  [{ lostBytes: 2048 }, 'database', 'bad', /^2.0 KiB of its latest changes/],
  [{ damagedAside: '/d/store.damaged-1' }, 'database', 'bad', /\/d\/store.damaged-1/],
  [{ budget: budgetOf(1000, 900, 3600) }, 'monthly budget', 'warning', /900 B of the 1000 B .* slowed down/],
  [{ budget: budgetOf(1000, 1001, 3600) }, 'monthly budget', 'bad', /stopped, the role is leaf/],
  [{ lostParts: { count: 5, bytes: 2048, paths: ['/a', '/b', '/c', '/d'] } }, 'part files', 'warning', /c and 2 more$/],
  [{ hooks: [{ id: 'mail', error: 'answered 500' }] }, 'hook mail', 'warning', /answered 500/],
  [{ eventsTrouble: 'no space' }, 'event log', 'bad', /no space/],
  [{ recordingTrouble: 'no room' }, 'recording', 'bad', /no room/],
  [{ logTrouble: 'ENOSPC' }, 'log', 'bad', /ENOSPC/],
  [{ waiting: ['gnutella.port'] }, 'restart', 'warning', /gnutella.port was changed/],
  [{ udpTaken: true }, 'reachable by UDP', 'bad', /6346 is in use/],
  [{ clockMovedMs: -7_200_000 }, 'clock', 'warning', /went back by 2 h/],
  [{ settings: { ...settings, api: { ...settings.api, host: '0.0.0.0' } } }, 'API', 'warning', /without TLS/],
  [
    { settings: { ...settings, profile: 'public', gnutella: { ...settings.gnutella, maxUltrapeers: 12 } } },
    'links to ultrapeers',
    'warning',
    /less than 16 .* is 12$/,
  ],
];

t.test('a servent that is well needs no attention', t => {
  t.strictSame(attention(WELL), []);
  t.end();
});

for (const [known, name, state, detail] of ILL) {
  t.test(`${Object.keys(known).join()}: a finding that says what to do`, t => {
    t.match(attention({ ...WELL, ...known }), [{ name, state, detail, mend: /\w{3}/ }]);
    t.end();
  });
}
