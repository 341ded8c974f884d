// A process whose files may not grow beyond a limit: appends to a journal until that fails, and says what the journal has then.
import { Journal } from '../../daemon/recording/journal.ts';

const [path = ''] = process.argv.slice(2);
const journal = new Journal(path);
let failed = '';
for (let i = 0; i < 1000 && failed === ''; i++) {
  try {
    journal.append(
      [`${JSON.stringify({ seq: i, text: 'x'.repeat(3000) })}\n`, `${JSON.stringify({ seq: i })}\n`],
      i,
      i,
    );
  } catch (error) {
    failed = (error as NodeJS.ErrnoException).code ?? String(error);
  }
}
journal.append([`${JSON.stringify({ seq: -1 })}\n`], 1000, 1000);
process.stdout.write(JSON.stringify({ failed, rows: journal.rows, bytes: journal.bytes }));
process.exit();
