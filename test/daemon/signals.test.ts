import { text } from 'node:stream/consumers';
import t from 'tap';
import { until } from '../support/running-servent.ts';
import { startProcess } from '../support/servent-process.ts';

const skip = process.platform === 'win32' && 'no such signals';

t.test('signals that mean nothing here neither open a debugger nor end the daemon', { skip }, async t => {
  const { child, client, ended } = await startProcess(t, t.testdir(), ['ignore', 'ignore', 'pipe']);
  const said = text(child.stderr ?? (await import('node:stream')).Readable.from([]));
  for (const name of [
    'SIGUSR1',
    'SIGUSR2',
    'SIGPIPE',
    'SIGALRM',
    'SIGVTALRM',
    'SIGIO',
    'SIGXFSZ',
    'SIGWINCH',
  ] as const) {
    child.kill(name);
    t.equal((await client.status()).profile, 'local', name);
  }
  const lines = await until('both are in the log', async () => {
    const { items } = await client.logLines({ limit: 100 });
    const found = items.filter(({ message }) => message.startsWith('this signal does nothing'));
    return found.length === 2 ? found : null;
  });
  t.strictSame(lines.map(({ data }) => data['signal']).sort(), ['SIGUSR1', 'SIGUSR2']);
  child.kill('SIGHUP');
  await until('it has read its configuration again', async () => {
    const { items } = await client.logLines({ limit: 100 });
    return items.some(({ message }) => message === 'the configuration was reloaded') ? true : null;
  });
  child.kill('SIGTERM');
  t.equal(await ended, 0);
  t.notMatch(await said, /Debugger/);
});
