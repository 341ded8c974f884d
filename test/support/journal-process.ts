// A process whose files may not grow beyond a limit: appends to a journal until that fails, and says what the journal has then.
import { Journal } from '../../daemon/segments/journal.ts';
import { RowBlock } from '../../measure/row-block.ts';

const [path = ''] = process.argv.slice(2);
const journal = new Journal(path, 'roles', { servent: 'ab'.repeat(16), run: '0123abcd' });
const block = new RowBlock('roles');
let failed = '';
for (let i = 0; i < 1000 && failed === ''; i++) {
  block.add(i, i, { role: 'leaf', why: 'x'.repeat(3000) });
  block.add(i, i, { role: 'leaf', why: '' });
  try {
    journal.append(block);
  } catch (error) {
    failed = (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
block.clear();
block.add(-1, 1000, { role: 'leaf', why: '' });
journal.append(block);
process.stdout.write(JSON.stringify({ failed, rows: journal.rows, bytes: journal.bytes }));
process.exit();
