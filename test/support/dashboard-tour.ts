// The dashboard in a real terminal on a small real network: every view opened, everything done that can be done.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { ServentProcess } from '../../demo/servent-process.ts';
import { formatSha1Urn } from '../../protocol/wire/urn.ts';
import { Pane, SERVENT } from './pane.ts';
import { partial, rangeOf, ScriptedSource } from './scripted-source.ts';

const SLOW_BYTES = 4_000_000;

/** A servent of its own, stopped when the test ends. */
async function servent(t: Test, base: string, name: string, args: readonly string[]): Promise<ServentProcess> {
  const started = await ServentProcess.start({
    name,
    program: SERVENT,
    dataDir: join(base, name),
    args: ['--mode', 'ultrapeer', '--seek', '0', '--log-level', 'warn', ...args],
  });
  t.teardown(() => started.stop());
  return started;
}

export async function tour(t: Test, columns: number, rows: number): Promise<void> {
  const base = t.testdir({ theirs: {}, ours: {}, more: { 'violet evening.txt': 'violet '.repeat(200) } });
  for (const track of ['dawn', 'noon', 'dusk'])
    writeFileSync(join(base, 'theirs', `amber ${track}.ogg`), randomBytes(60_000));
  mkdirSync(join(base, 'incoming'));
  const other = await servent(t, base, 'other', ['--share', join(base, 'theirs')]);
  const own = await servent(t, base, 'own', ['--download-dir', join(base, 'incoming')]);

  // A file that never ends: what is paused and resumed has not finished meanwhile.
  const slow = await ScriptedSource.open(t, asked => {
    const { start, end } = rangeOf(asked, SLOW_BYTES);
    asked.socket.write(
      partial(Buffer.alloc(SLOW_BYTES), { start, end }).subarray(0, 400 + Math.min(20_000, end - start)),
    );
    return new Promise<boolean>(resolve => asked.socket.once('close', () => resolve(false)));
  });
  const urn = formatSha1Urn(createHash('sha1').update(Buffer.alloc(SLOW_BYTES)).digest());
  const { port } = slow.source.endpoint;

  const pane = new Pane(t, columns, rows, ['--data-dir', own.dataDir]);
  const command = (line: string): void => {
    pane.keys(':');
    pane.type(line);
    pane.keys('Enter');
  };
  await pane.until(/Servent ─[\s\S]*ultrapeers +0/);
  await pane.until(/no peers/);

  command(`connect ${other.gnutella}`);
  await pane.until(new RegExp(`connected to ${other.gnutella}`));
  await pane.until(/● servent │ ultrapeer │ 1 peer │/);
  pane.keys('2');
  await pane.until(new RegExp(`${other.gnutella} +ultrapeer`));

  pane.keys('s');
  pane.type('amber');
  pane.keys('Enter');
  await pane.until(/Results: amber[\s\S]*amber (dawn|noon|dusk)\.ogg/);
  await pane.until(/Searches 1|Search 1|4 Search/);
  pane.keys('A', 'd');
  await pane.until(/Download 3 results\?[\s\S]*amber dawn\.ogg/);
  pane.keys('y');
  await pane.until(/download 3 results: done/);

  pane.keys('5');
  await pane.until(/amber dawn\.ogg +completed/);
  command(`download magnet:?xt=${urn}&dn=endless.bin&xl=${SLOW_BYTES}&xs=http://127.0.0.1:${port}/uri-res/N2R?${urn}`);
  await pane.until(/endless\.bin +(active|queued)/);
  pane.keys('/');
  pane.type('endless size>1MB');
  pane.keys('Enter', 'p');
  await pane.until(/endless\.bin +paused/);
  pane.keys('+');
  await pane.until(/priority 1 for endless\.bin/);
  pane.keys('r');
  await pane.until(/endless\.bin +(active|queued)/);
  pane.keys('w');
  await pane.until(/endless\.bin ─[\s\S]*Esc closes/);
  pane.keys('Escape', 'x');
  await pane.until(/Cancel 1 download\?/);
  pane.keys('y');
  await pane.until(/no rows match the filter/);
  pane.keys('Escape');

  command(`share ${join(base, 'more')}`);
  await pane.until(/sharing /);
  pane.keys('7');
  await pane.until(/more +ready +1/);
  pane.keys('Tab');
  await pane.until(/violet evening\.txt/);
  pane.keys('r');
  await pane.until(/scanning the shared folders/);

  await other.client.startSearch({ text: 'violet evening' });
  pane.keys('3');
  await pane.until(/QUERY[\s\S]*violet evening/);
  pane.keys('6');
  await pane.until(/Uploads ─/);
  pane.keys('8');
  await pane.until(/Host cache ─/);
  pane.keys('9', '/');
  pane.type('complete');
  pane.keys('Enter');
  await pane.until(/amber dusk\.ogg is complete/);
  pane.keys('Escape');

  pane.keys('0');
  await pane.until(/Configuration ─/);
  pane.keys('/');
  pane.type('maxLeaves');
  pane.keys('Enter', 'e');
  await pane.until(/:config set gnutella\.maxLeaves \d+/);
  pane.keys('C-w');
  pane.type('55');
  pane.keys('Enter');
  await pane.until(/Change gnutella\.maxLeaves\?[\s\S]*becomes 55, takes effect at once/);
  pane.keys('y');
  await pane.until(/1 setting changed/);
  const { settings } = await own.client.config();
  t.equal(settings.find(({ key }) => key === 'gnutella.maxLeaves')?.value, 55);

  pane.keys('2', 'x');
  await pane.until(/Disconnect 1 peer\?/);
  pane.keys('y');
  await pane.until(/No connections\./);
  t.strictSame((await own.client.peers()).items, []);
  pane.keys('1', 'w');
  await pane.until(/Leaf or ultrapeer ─[\s\S]*gnutella\.mode/);
  pane.keys('Escape', 'q');
  t.match(await pane.until(/ended 0\s+same terminal/), /^\s*ended 0\s+same terminal\s*$/);
}
