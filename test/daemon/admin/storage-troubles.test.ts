import t from 'tap';
import { ApiError } from '../../../api/errors.ts';
import { refusalOf } from '../../../daemon/admin/refusals.ts';
import { StorageTroubles } from '../../../daemon/admin/storage-troubles.ts';
import { storeError } from '../../../daemon/store/store-error.ts';
import { diskError } from '../../../daemon/transfer/disk-error.ts';
import { serveFake } from '../../support/api-server.ts';

const coded = (code: string, text: string): Error => Object.assign(new Error(text), { code });

/** As LevelDB and the file system say it, and what a caller is told. */
const FAILURES: readonly [error: Error, status: number, code: string, detail: RegExp][] = [
  [
    storeError(coded('LEVEL_IO_ERROR', 'IO error: /d/1.log: No space left on device'), '/d'),
    507,
    'STORAGE_FULL',
    /no space left for \/d: free some/,
  ],
  [storeError(coded('LEVEL_IO_ERROR', 'IO error: Disk quota exceeded'), '/d'), 507, 'STORAGE_FULL', /no space left/],
  [diskError(coded('ENOSPC', 'full'), '/parts'), 507, 'STORAGE_FULL', /no space left for \/parts/],
  [Object.assign(coded('ENOSPC', 'full'), { path: '/d/servent.yaml' }), 507, 'STORAGE_FULL', /\/d\/servent.yaml/],
  [
    storeError(coded('LEVEL_IO_ERROR', 'IO error: Read-only file system'), '/d'),
    503,
    'STORAGE_FORBIDDEN',
    /Read-only file system.*writable folder/,
  ],
  [diskError(coded('EACCES', 'no'), '/parts'), 503, 'STORAGE_FORBIDDEN', /cannot write to \/parts/],
  [storeError(coded('LEVEL_DATABASE_NOT_OPEN', 'closed'), '/d'), 503, 'STOPPING', /is stopping/],
  [
    storeError(coded('LEVEL_CORRUPTION', 'Corruption: block checksum mismatch'), '/d'),
    500,
    'STORAGE_FAILED',
    /damaged .*restart the servent/,
  ],
  [
    storeError(coded('LEVEL_IO_ERROR', 'IO error: Input/output error'), '/d'),
    500,
    'STORAGE_FAILED',
    /\/d failed: .*Input/,
  ],
];

t.test('a disk or database that failed is told as such and never as a bug', async t => {
  const { control, raw, mistakes } = await serveFake(t, { refusalOf });
  for (const [error, status, code, detail] of FAILURES) {
    control.before = () => {
      throw error;
    };
    const headers = { 'Content-Type': 'application/json' };
    t.match(await raw({ path: '/api/v1/downloads' }), { status, json: { status, code, detail } }, error.message);
    const body = JSON.stringify({ operations: [{ operation: 'downloads', input: {} }] });
    const bulk = await raw({ method: 'POST', path: '/api/v1/bulk', headers, body });
    t.match(bulk.json, { items: [{ status, problem: { code, detail } }] }, 'in a bulk call too');
  }
  t.strictSame(mistakes, []);
});

t.test('what is no failure of a disk stays a mistake', t => {
  for (const error of [new Error('x'), coded('ENOENT', 'x'), null, 'ENOSPC', { code: 'ENOSPC' }])
    t.equal(refusalOf(error), null);
  t.end();
});

t.test('a full disk is one line in the log however many calls it refuses, and another when it is full again', t => {
  let now = 0;
  const troubles = new StorageTroubles(() => now);
  const full = new ApiError('STORAGE_FULL', 'no space left for /d: free some');
  const told: number[] = [];
  for (; now < 600_000; now += 5_000) if (troubles.isNew(full)) told.push(now);
  t.strictSame(told, [0]);
  t.ok(troubles.isNew(new ApiError('STORAGE_FULL', 'no space left for /parts: free some')), 'another place');
  now += 60_000;
  t.ok(troubles.isNew(full));
  for (let n = 0; n < 100; n++) t.ok(troubles.isNew(new ApiError('STORAGE_FULL', `no space left for /${n}`)));
  t.notOk(troubles.isNew(new ApiError('TOO_MANY', 'searches')), 'no trouble of the storage');
  t.ok(troubles.isNew(full), 'a bounded number is remembered');
  t.end();
});
