// The file that names our port, when it is none: a named pipe and a folder stop nobody, and what they hold is told.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { PortFile } from '../../../daemon/net/port-file.ts';

t.test('a named pipe that nobody writes into, and a folder, are troubles, and nothing waits for them', async t => {
  const dir = t.testdir({});
  const pipe = join(dir, 'pipe');
  const made = spawnSync('mkfifo', [pipe]);
  const troubles: string[] = [];
  for (const path of made.status === 0 ? [pipe, dir] : [dir]) {
    const file = new PortFile({ path, onPort: async () => {}, onTrouble: trouble => troubles.push(trouble) });
    await file.start();
    file.stop();
    t.equal(file.port, null);
    t.equal(file.trouble, troubles.at(-1));
  }
  t.match(troubles.at(-1), /cannot be read \(EISDIR\)/);
});
