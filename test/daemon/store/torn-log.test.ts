import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Store } from '../../../daemon/store/store.ts';

const PROCESS = fileURLToPath(new URL('../../support/full-store-process.js', import.meta.url));

t.test(
  'what is written after a write that failed for want of room is there at the next start',
  { skip: process.platform === 'win32' && 'no limit on the size of files' },
  async t => {
    const folder = join(t.testdir(), 'store');
    // Blocks of 512 bytes; a limit that is met is an error and not a signal. What tap loads into every Node by NODE_OPTIONS would
    // hear the signal nevertheless, and end the process.
    const limited = `trap '' XFSZ; unset NODE_OPTIONS; ulimit -f 400; exec "$0" "$@"`;
    const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, PROCESS, folder]);
    t.strictSame(JSON.parse(stdout), { failed: 'STORE_FAILED', read: 'kept' });
    const store = await Store.open(folder, silentLog);
    t.teardown(() => store.close());
    const texts = store.table<string>('texts');
    t.equal(store.damagedAside, null);
    t.equal(await texts.get('before'), 'kept');
    t.equal(await texts.get('filler 0'), 'x'.repeat(5000), 'what was acknowledged before too');
    t.equal(await texts.get('after'), 'kept');
  },
);
