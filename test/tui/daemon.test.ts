// What only a real daemon can show: its log, who is blocked, and what a key may not do.
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ServentProcess } from '../../demo/servent-process.ts';
import { Pane, SERVENT, TMUX_MISSING } from '../support/pane.ts';
import { until } from '../support/running-servent.ts';

async function servent(t: Test, name: string, ...args: string[]): Promise<ServentProcess> {
  const started = await ServentProcess.start({
    name,
    program: SERVENT,
    dataDir: join(t.testdirName, name),
    args: ['--mode', 'ultrapeer', '--seek', '0', ...args],
  });
  t.teardown(() => started.stop());
  return started;
}

/** A neighbour that goes and is back: `own` has a line in its log for it. */
async function goAndReturn(own: ServentProcess, other: ServentProcess): Promise<void> {
  const [link] = (await other.client.peers()).items;
  await other.client.disconnect({ id: link?.id ?? '' });
  await until('own knows that it is gone', async () => ((await own.client.peers()).items.length === 0 ? true : null));
  await own.client.connect({ address: other.gnutella });
}

function logged(own: ServentProcess, message: string): Promise<boolean> {
  return until(`"${message}" is logged`, async () => {
    const { items } = await own.client.logLines({ level: 'info' });
    return items.some(line => line.message === message) ? true : null;
  });
}

t.test('the log of the daemon, and a neighbour blocked', { skip: TMUX_MISSING, timeout: 110_000 }, async t => {
  t.testdir({});
  const other = await servent(t, 'other');
  const own = await servent(t, 'own');
  await own.client.connect({ address: other.gnutella });
  await goAndReturn(own, other);
  await logged(own, 'a neighbour said Bye');
  const pane = new Pane(t, 100, 30, ['--data-dir', own.dataDir]);
  await pane.until(/● servent │ ultrapeer │ 1 peer │/);
  pane.keys('9');
  await pane.until(/a neighbour said Bye/);
  // From here on lines come by the event stream: the list of them is asked for once.
  await goAndReturn(own, other);
  await pane.until(/a neighbour said Bye[\s\S]*a neighbour said Bye/);
  pane.keys('2', 'B');
  await pane.until(/Block 127\.0\.0\.1\?/);
  pane.keys('y');
  await pane.until(/No connections\./);
  const { settings } = await own.client.config();
  t.strictSame(settings.find(({ key }) => key === 'gnutella.block')?.value, ['127.0.0.1']);
  pane.keys('9');
  await pane.until(/disconnected: 201 Blocked/);
  pane.keys('q');
  await pane.until(/ended 0\s+same terminal/);
});

t.test(
  'a key that may only read looks at everything and does nothing',
  { skip: TMUX_MISSING, timeout: 110_000 },
  async t => {
    t.testdir({});
    const other = await servent(t, 'other');
    const own = await servent(t, 'own');
    await own.client.connect({ address: other.gnutella });
    await goAndReturn(own, other);
    const { secret } = await own.client.createKey({ name: 'looker', scopes: ['read'] });
    const pane = new Pane(t, 100, 30, ['--api', own.api, '--token', secret]);
    await pane.until(/● servent │ ultrapeer │ read-only │ 1 peer │/);
    pane.keys('2');
    await pane.until(new RegExp(`${other.gnutella} +ultrapeer`));
    pane.keys('x');
    await pane.until(/Disconnect 1 peer\?/);
    pane.keys('y');
    await pane.until(/this key is read-only: nothing was done/);
    pane.keys('B');
    await pane.until(/read-only/);
    pane.keys('9');
    await pane.until(/a neighbour said Bye/);
    t.equal((await own.client.peers()).items.length, 1, 'still connected');
    const { settings } = await own.client.config();
    t.strictSame(settings.find(({ key }) => key === 'gnutella.block')?.value, []);
    pane.keys('q');
    await pane.until(/ended 0\s+same terminal/);
  },
);
