import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { templateOf } from '../../cli/template.ts';
import { createProgram } from '../../cli/tree.ts';
import { serveFake, TOKEN } from '../support/api-server.ts';
import { command } from '../support/command.ts';
import { projectRoot } from '../support/fixtures.ts';

const nowhere = { SERVENT_API: 'http://127.0.0.1:1', SERVENT_TOKEN: TOKEN };

t.test('wrong usage of a command in a command names the help of that one', async t => {
  for (const [words, help] of [
    [['keys', 'create'], 'servent keys create --help'],
    [['keys', '--limit', '5', 'create', '--frob'], 'servent keys create --help'],
    [['hooks', 'replay', 'h1'], 'servent hooks replay --help'],
    [['hosts', 'add'], 'servent hosts add --help'],
    [['config', 'frob'], 'servent config --help'],
    [['peers', '--frob'], 'servent peers --help'],
    [['frob'], 'servent --help'],
  ] as const) {
    const { code, err } = await command(words, { env: nowhere });
    t.equal(code, 2, words.join(' '));
    t.match(err, `see "${help}"`, words.join(' '));
  }
});

t.test('every command that a message, a help or a document names is there', async t => {
  const program = createProgram({ stdout: process.stdout, stderr: process.stderr, env: {}, cwd: '/' });
  const texts = ['cli', 'daemon', 'tui', 'api', 'web'].flatMap(folder => sourcesIn(join(projectRoot, folder)));
  const named = texts.flatMap(text =>
    Array.from(text.matchAll(/"servent ([a-z][a-z -]*)/g), ([, words = '']) => words),
  );
  t.ok(named.length > 40, `${named.length} are named`);
  for (const words of new Set(named)) {
    let command = program;
    for (const word of words.trim().split(' ')) {
      const inner = command.commands.find(known => known.name() === word);
      if (inner === undefined) {
        const isLast = command !== program && (command.registeredArguments.length > 0 || word.startsWith('--'));
        t.ok(isLast, `servent ${words}`);
        break;
      }
      command = inner;
    }
  }
});

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => readFileSync(join(folder, name), 'utf8'));
}

t.test('a call without what it must have names all of that, and exits 2', async t => {
  for (const [words, said] of [
    [['changeDownload'], /id is missing/],
    [['connect'], /connect: address is missing/],
    [['replay'], /replay: id is missing; since is missing/],
    [['createKey', 'scopes=["frob"]'], /name is missing; scopes\.0: /],
    [['removeSearch', 'id=s1', 'frob=1'], /frob: unknown field/],
    [['peers', 'limit=0'], /limit: /],
  ] as const) {
    const { code, err } = await command(['call', ...words], { env: nowhere });
    t.equal(code, 2, words.join(' '));
    t.match(err, said);
  }
  const { server, control } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  t.equal((await command(['call', 'peers', 'limit=5', 'fields=id,address'], { env })).code, 0);
  t.match(control.calls.at(-1), ['peers', { limit: 5 }]);
});

t.test('the OpenAPI document needs no daemon', async t => {
  const { code, out, json } = await command(['openapi'], { env: nowhere });
  t.equal(code, 0);
  t.match(json(), { openapi: /^3\.1/, paths: { '/api/v1/status': {} } });
  const { server } = await serveFake(t);
  const asked = await command(['openapi', '--api', server.url, '--token', TOKEN]);
  t.strictSame(
    Object.keys(asked.json<{ paths: object }>().paths),
    Object.keys((JSON.parse(out) as { paths: object }).paths),
  );
});

t.test('every command that shows something takes -o with every format', async t => {
  const { server } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  for (const [words, field] of [
    [['status'], 'servent'],
    [['peers'], 'id'],
    [['hosts'], 'address'],
    [['downloads'], 'id'],
    [['downloads', 'show', 'd1'], 'id'],
    [['searches'], 'id'],
    [['library'], 'name'],
    [['health'], 'name'],
    [['explain', 'role'], 'name'],
    [['config', 'show'], 'key'],
    [['config', 'get'], 'key'],
    [['keys', 'whoami'], 'id'],
    [['call', 'peers'], 'id'],
    [['version'], 'version'],
  ] as const) {
    const run = async (...flags: string[]) => command([...words, ...flags], { env });
    const whole = await run('-o', 'json');
    t.equal(whole.code, 0, `${words.join(' ')}: ${whole.err}`);
    t.ok(JSON.parse(whole.out));
    const lines = (await run('-o', 'ndjson')).out.trimEnd().split('\n');
    t.ok(Object.hasOwn(JSON.parse(lines[0] ?? '') as object, field), `${words.join(' ')}: ${lines[0]}`);
    t.match((await run('-o', 'csv')).out, new RegExp(`^(.*,)?${field}(,.*)?\r\n`), words.join(' '));
    const templated = await run('-o', `template={{.${field}}}`);
    t.equal(templated.out.trimEnd().split('\n').length, lines.length, words.join(' '));
    t.equal((await run('--template', `{{${field}}}`)).out, templated.out);
    t.equal((await run('-o', 'table')).code, 0);
  }
  t.match(await command(['call', 'peers', '-o', 'table'], { env }), { out: /^ID +ADDRESS/ });
});

t.test('log levels is a table of parts', async t => {
  const { server, control } = await serveFake(t);
  control.levels = { level: 'info', levels: { links: 'debug' } };
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  t.match((await command(['log', 'levels'], { env })).out, /^PART +LEVEL\nall others +info\nlinks +debug\n$/);
  t.equal(
    (await command(['log', 'levels', '-o', 'csv'], { env })).out,
    'part,level\r\nall others,info\r\nlinks,debug\r\n',
  );
  t.strictSame((await command(['log', 'levels', '-o', 'json'], { env })).json(), control.levels);
});

t.test('a template has fields, inner fields and JSON of them; what is none is said', async t => {
  const rows = [{ a: 'x', b: { c: [1, 2] }, d: null }, { a: 'y' }];
  t.strictSame(templateOf('{{.a}}\\t{{ json .b.c }}|{{d}}')(rows), ['x\t[1,2]|', 'y\tnull|']);
  t.strictSame(templateOf('{{json .}}')([{ a: 1 }]), ['{"a":1}']);
  t.throws(() => templateOf('{{.z}}')(rows), /unknown field z; fields are a, b, d/);
  t.throws(() => templateOf('{{range .a}}'), /expected {{.field}}/);
  for (const flags of [
    ['-o', 'template'],
    ['-o', 'csv', '--template', 'x'],
    ['-o', 'xml'],
  ])
    t.equal((await command(['version', ...flags])).code, 2, flags.join(' '));
});

t.test('the beginning of an id does where only one begins with it, else those are named', async t => {
  const { server, control, raw } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  const [download] = control.downloadList;
  if (download === undefined) throw new Error('the fake has one');
  control.downloadList = ['3fa9c1', '3fb000', '77'].map(id => ({ ...download, id }));
  t.match(await command(['downloads', 'show', '3fa', '--json'], { env }), { code: 0, out: /"id":"3fa9c1"/ });
  const { code, err } = await command(['cancel', '3f'], { env });
  t.equal(code, 1);
  t.match(err, /several downloads begin with "3f": 3fa9c1, 3fb000/);
  t.match(await command(['cancel', '7'], { env }), { code: 1, err: /no download "7"/ }, 'counted ids only whole');
  t.match(await command(['cancel', '4'], { env }), { code: 1, err: /no download "4"/ });
  t.match(await raw({ path: '/api/v1/downloads/3f' }), { status: 409, json: { code: 'AMBIGUOUS' } });
  t.match(await raw({ path: '/api/v1/downloads/3FB0/explanation' }), { status: 200 });
  t.match(
    await command(['cancel', '3fa'], { env }),
    { code: 1, err: /no download "3fa": to change or remove 3fa9c1, give at least its first 4 characters/ },
    'a removal sent again must not meet the next one that begins alike',
  );
  t.equal(control.downloadList.length, 3);
  t.match(await command(['cancel', '3fa9'], { env }), { code: 0 });
  t.match(await command(['cancel', '3fa9'], { env }), { code: 1, err: /no download "3fa9"/ });
  t.strictSame(
    control.downloadList.map(({ id }) => id),
    ['3fb000', '77'],
  );
});

t.test('a search or browse that is not whole says so where its results are printed', async t => {
  const { server, control } = await serveFake(t);
  const env = { SERVENT_API: server.url, SERVENT_TOKEN: TOKEN };
  const cut = 'the first 5000 of more results';
  control.sample = { ...control.sample, cut, state: 'finished' };
  control.searchList = [control.sample];
  t.match((await command(['searches', 'show', 's1'], { env })).err, /^cut: +the first 5000 of more results$/m);
  t.match((await command(['searches'], { env })).out, cut);
  t.match((await command(['browse', '127.0.0.1:6346'], { env })).err, /^the first 5000 of more results$/m);
  t.match((await command(['browse', '127.0.0.1:6346', '--json'], { env })).json(), { search: { cut } });
});
