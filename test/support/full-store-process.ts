// A process of its own whose files may not grow beyond a limit: a write in the middle of the database's log fails, as on a full disk.

import { silentLog } from '../../daemon/log.ts';
import { Store } from '../../daemon/store/store.ts';

const [folder = ''] = process.argv.slice(2);
const store = await Store.open(folder, silentLog);
const table = store.table<string>('texts');
await table.put('before', 'kept', { durable: true });
let failed = '';
for (let i = 0; i < 1000 && failed === ''; i++) {
  await table.put(`filler ${i}`, 'x'.repeat(5000)).catch((error: Error & { code: string }) => (failed = error.code));
}
const read = await table.get('before');
await table.put('after', 'kept', { durable: true });
process.stdout.write(JSON.stringify({ failed, read }));
process.exit(); // as a crash would
