import { PassThrough, Readable } from 'node:stream';
import t from 'tap';
import { printable } from '../../api/format.ts';
import { DemoWorld } from '../../tui/demo/world.ts';
import { runDashboard, wantsPlain } from '../../tui/main.ts';
import { runPlain } from '../../tui/plain.ts';
import { command } from '../support/command.ts';

async function said(...lines: string[]): Promise<string> {
  let out = '';
  const now = (): number => Date.UTC(2026, 10, 21, 14);
  const { client } = new DemoWorld({ now });
  await runPlain({
    sources: [{ name: 'demo', url: 'x', client }],
    input: Readable.from(lines.map(line => `${line}\n`)),
    write: text => (out += text),
    now,
  });
  return out;
}

t.test('the overview comes first, one fact a line', async t => {
  const out = await said();
  t.match(out, /^Overview\.\nRole: ultrapeer, profile public\.\nPeers: 9 ultrapeers, 25 leaves; 180 hosts known\.\n/);
  t.match(out, /Note: 1 failed download: 5 shows why\./);
});

t.test('a view is read row by row, twenty at a time', async t => {
  const out = await said('peers', 'more');
  t.match(out, /\n1\. p100: 198\.51\.100\.181:35649, role ultrapeer, by us, age 1h44m/);
  t.match(out, /\n20\. .*\nThere are more: "more" continues\.\n21\. .*/);
  t.match(out, /\n34\. /);
});

t.test('words do what they do in the command line, and mistakes say so', async t => {
  const out = await said('pause nothing', 'connect 192.0.2.9:1', 'peers', 'frobnicate', 'help', 'quit', 'peers');
  t.match(out, 'no download nothing: 5 lists them');
  t.match(out, 'connected to 192.0.2.9:1');
  t.match(out, 'no command frobnicate');
  t.match(out, 'cancel ID…: cancel downloads');
  t.equal(out.split('Peers.').length, 2, 'after quit nothing is read');
});

t.test('the keys of the views and of leaving do what they do on the screen', async t => {
  const out = await said('2', '1', 'q', '2');
  t.match(out, /^Overview\..*\nPeers\.\n.*\nOverview\.\n/s);
  t.equal(out.split('Peers.').length, 2, 'after q nothing is read');
});

t.test('strangers cannot speak to the terminal here either', async t => {
  const out = await said('queries', 'more', 'library', 'more', 'downloads');
  t.equal(out.replaceAll('\n', ''), printable(out.replaceAll('\n', '')));
});

t.test('lines are what runs when there is no terminal at either end, or a dumb one', async t => {
  const tty = { isTTY: true } as never;
  const env = { TERM: 'xterm' };
  t.equal(wantsPlain({ sources: [], input: tty, output: tty, env }), false);
  t.equal(wantsPlain({ sources: [], input: tty, output: tty, env, plain: true }), true);
  t.equal(wantsPlain({ sources: [], input: tty, output: tty, env: { TERM: 'dumb' } }), true);
  t.equal(wantsPlain({ sources: [], input: new PassThrough(), output: tty, env }), true);
  t.equal(wantsPlain({ sources: [], input: tty, output: new PassThrough(), env }), true);
});

t.test('the dashboard ends when its input does', async t => {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  let written = '';
  output.setEncoding('utf8').on('data', (text: string) => (written += text));
  const { client } = new DemoWorld({ now: Date.now });
  const over = runDashboard({
    sources: [{ name: 'demo', url: 'x', client }],
    input,
    output,
    env: { TERM: 'xterm', LANG: 'C.UTF-8' },
  });
  input.end();
  await over;
  t.match(written, /servent|demo/);
  t.match(written, '\x1b[?1049l');
});

t.test('a crash gives the terminal back before anybody reads of it', async t => {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  let written = '';
  output.setEncoding('utf8').on('data', (text: string) => (written += text));
  const client = new Proxy(
    {},
    {
      get: () => async () => {
        throw new TypeError('a mistake of ours');
      },
    },
  ) as never;
  await t.rejects(
    runDashboard({ sources: [{ name: 'demo', url: 'x', client }], input, output, env: { TERM: 'xterm' } }),
    { message: 'a mistake of ours' },
  );
  t.match(written, '\x1b[?1049l');
  t.match(written, '\x1b[?25h');
});

t.test('the command says what is wrong with its flags', async t => {
  t.match(await command(['tui', '--api', 'http://127.0.0.1:1', '--token', 'x', '--frobnicate']), { code: 2 });
  t.match(await command(['tui', '--api', 'no url at all']), { code: 2, err: /--api: expected a URL/ });
});
