// A flood of queries, a daemon killed and started again, and the terminal given back at the end.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Peers } from '../../bench/routing-tcp/peers.ts';
import { ServentProcess } from '../../demo/servent-process.ts';
import { Pane, SERVENT, TMUX_MISSING } from '../support/pane.ts';

const RSS_MB_MAX = 140;
const QPS = 500;

t.test('a daemon that dies and comes back, under load', { skip: TMUX_MISSING, timeout: 110_000 }, async t => {
  const dataDir = join(t.testdir({}), 'data');
  const start = (...args: string[]) =>
    ServentProcess.start({
      name: 'own',
      program: SERVENT,
      dataDir,
      args: ['--mode', 'ultrapeer', '--seek', '0', ...args],
    });
  let servent = await start();
  t.teardown(() => servent.stop());
  const { port } = new URL(servent.api);
  let peers = new Peers(false);
  t.teardown(() => peers.close());
  const load = async (): Promise<void> => {
    peers = new Peers(false);
    await peers.connect(Number(servent.gnutella.split(':').at(-1)), 2, 'ultrapeer');
    await peers.step(QPS, 3, 1, 100);
  };

  const pane = new Pane(t, 120, 40, ['--data-dir', dataDir]);
  await pane.until(/● servent │ ultrapeer │ 0 peers/);
  pane.keys('3');
  await load();
  await pane.until(/ben\d+ ben\d+ ben\d+/);
  await pane.until(/● servent │ ultrapeer │ 2 peers/);

  servent.child.kill('SIGKILL');
  peers.close();
  const lost = await pane.until(/No daemon answers at .* retry in \d+ s/);
  t.match(lost, /last data from/, 'what was known stays');
  servent = await start('--api-port', port);
  await pane.until(/● servent │ ultrapeer │ 0 peers/);
  t.notMatch(pane.text(), /No daemon answers/);
  await load();
  await pane.until(/● servent │ ultrapeer │ 2 peers/);
  pane.keys('9');
  await pane.until(/lost the daemon at/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  t.notMatch(pane.text(), /[\u0000-\u0009\u000b-\u001f\ufffd]/, 'no stray characters');
  const { pid } = pane;
  const rssMb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  t.ok(rssMb < RSS_MB_MAX, `${rssMb} MB resident`);
  process.kill(pid, 'SIGTERM');
  t.match(await pane.until(/ended \d+\s+same terminal/), /^\s*ended 143\s+same terminal\s*$/);
  t.strictSame(pane.modes(), { alternate: false, cursor: true, mouse: false });
});
