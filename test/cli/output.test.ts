import t from 'tap';
import { csv, rowsOf } from '../../cli/csv.ts';
import { manualPage } from '../../cli/manual.ts';
import { serveFake, TOKEN } from '../support/api-server.ts';
import { command } from '../support/command.ts';

t.test('lists as JSON, as lines of JSON and as CSV', async t => {
  const { server } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  t.match((await command(['peers', '--output', 'json'], { env })).json(), { items: [{ id: 'p1' }], next: null });
  const lines = (await command(['peers', '--output', 'ndjson'], { env })).out.trimEnd().split('\n');
  t.equal(lines.length, 1);
  t.match(JSON.parse(lines[0] ?? ''), { id: 'p1' });
  t.match(await command(['peers', '--output', 'csv'], { env }), {
    code: 0,
    out: /^id,address,.*messages\.in.*\r\np1,/,
  });
  t.match(await command(['peers', '--output', 'table'], { env }), { out: /^ID +ADDRESS/ });
  t.match(await command(['peers', '--output', 'xml'], { env }), { code: 2 });
});

t.test('CSV quotes what it must and lets no cell become a formula', async t => {
  t.equal(
    csv([
      { a: 'x,"y"', b: { c: 1 } },
      { a: '=1+1', d: [1] },
    ]),
    'a,b.c,d\r\n"x,""y""",1,\r\n\'=1+1,,[1]\r\n',
  );
  t.equal(csv([]), '');
  t.strictSame(rowsOf({ items: [1] }), [1]);
  t.strictSame(rowsOf({ a: 1 }), [{ a: 1 }]);
});

t.test('--curl shows the calls, without the token, and changes nothing', async t => {
  const { server, control } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  const { code, out } = await command(['cancel', 'd1', '--curl'], { env });
  t.equal(code, 0);
  t.match(out, /^curl -sS -X DELETE -H "Authorization: Bearer \$\(cat '.*api-token'\)" 'http.*\/downloads\/d1'\n$/);
  t.notMatch(out, TOKEN);
  t.equal(control.downloadList.length, 1);
  t.match(await command(['search', "it's", '--curl'], { env }), { code: 0, out: /-d '\{"text":"it'\\''s".*\}'/ });
  t.match(await command(['peers', '--curl'], { env }), { code: 0, out: /^curl -sS -H [^\n]*limit=100'\n$/ });
});

t.test('any operation can be called by name', async t => {
  const { server, control } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  t.match(await command(['call', 'changeDownload', 'id=d1', 'priority=5'], { env }), { code: 0, out: /"priority":5/ });
  t.match(control.calls.at(-1), ['changeDownload', { id: 'd1', priority: 5 }]);
  t.match(await command(['call', 'changeDownlod'], { env }), { code: 2, err: /did you mean changeDownload\?/ });
  t.match(await command(['call', 'status', 'x'], { env }), { code: 2 });
});

t.test('completion knows commands, flags, values of flags, keys, and ids of the running daemon', async t => {
  const { server } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  const complete = async (...words: string[]) =>
    (await command(['complete', '--', ...words], { env })).out.trimEnd().split('\n');
  t.strictSame(await complete('pe'), ['peers']);
  t.ok((await complete('')).includes('explain'));
  t.strictSame(await complete('config', 'sh'), ['show']);
  t.strictSame(await complete('peers', '--out'), ['--output']);
  t.strictSame(await complete('peers', '--output', 'c'), ['csv']);
  t.strictSame(await complete('config', 'get', 'uploads.sl'), ['uploads.slots']);
  t.strictSame(await complete('pause', ''), ['d1']);
  t.strictSame(await complete('disconnect', 'p'), ['p1']);
  const dead = await command(['complete', '--', 'pause', ''], {
    env: { SERVENT_API: 'http://127.0.0.1:1', SERVENT_TOKEN: TOKEN },
  });
  t.match(dead, { code: 0, out: '', err: '' });
  for (const shell of ['bash', 'zsh', 'fish'])
    t.match(await command(['completion', shell]), { code: 0, out: /servent complete --/ });
});

t.test('the manual page has every command', async t => {
  const page = manualPage();
  for (const name of ['start', 'explain search', 'config apply', 'completion'])
    t.match(page, new RegExp(`^\\.SS ${name}`, 'm'));
  t.match(page, /^\.SH EXIT STATUS$/m);
});

t.test('what strangers chose is shown harmlessly, in lines and in errors too', async t => {
  const { server, control } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  const evil = 'a\u001b[31m\u202egpj.exe';
  const [download] = control.downloadList;
  const [peer] = control.peerList;
  if (download === undefined || peer === undefined) throw new Error('the fake has some');
  control.nextDownload = { name: evil, state: 'failed', path: null, error: evil };
  control.downloadList = [{ ...download, ...control.nextDownload }];
  control.peerList = [{ ...peer, userAgent: evil }];
  for (const words of [
    ['downloads'],
    ['peers'],
    ['download', 'urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB'],
    ['download', 'urn:sha1:PLSTHIPQGSSZTS5FJUPAKUZWUGYQYPFB', '--wait'],
  ]) {
    const { out, err } = await command(words, { env });
    t.match(out + err, '\ufffd', words.join(' '));
    t.notMatch(out + err, /\p{Cf}|\p{Cc}(?<!\n)/u, words.join(' '));
  }
});
