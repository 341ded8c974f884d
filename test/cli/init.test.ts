import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { parse } from 'yaml';
import { parseSettings } from '../../settings/file.ts';
import { command } from '../support/command.ts';

/** A person who types these lines and then hangs up. */
function typing(...lines: string[]): NodeJS.ReadableStream {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.end(lines.map(line => `${line}\n`).join(''));
  return stdin;
}

t.test('five answers become a commented configuration file that the daemon takes', async t => {
  const cwd = t.testdir({ music: {} });
  const dataDir = join(cwd, 'data');
  const stdin = typing('lan', '7000', 'music:/srv/more', '', 'leaf');
  const { code, out, err } = await command(['init', '--data-dir', dataDir], { cwd, stdin });
  t.equal(code, 0, err);
  const file = join(dataDir, 'servent.yaml');
  t.equal(out, `written: ${file}\n`);
  const text = await readFile(file, 'utf8');
  t.strictSame(parse(text), {
    profile: 'lan',
    gnutella: { port: 7000, mode: 'leaf' },
    library: { folders: [join(cwd, 'music'), '/srv/more'] },
    ...Object.fromEntries(
      [
        'dht',
        'nat',
        'proxy',
        'downloads',
        'uploads',
        'limits',
        'api',
        'bootstrap',
        'queries',
        'recording',
        'searches',
        'history',
        'log',
      ].map(name => [name, null]),
    ),
  });
  t.match(text, /# Maximum number of leaves as an ultrapeer/);
  t.equal(parseSettings(text, file).size, 4, 'what kept its default stays a comment');
  t.match(err, /\/srv\/more does not exist yet/);
  t.match(err, /next:\n {2}servent start --data-dir /);
  t.match(await command(['config', 'check', file], { cwd }), { code: 0 });
});

t.test('flags answer too, and what is wrong is asked again', async t => {
  const cwd = t.testdir({});
  const stdin = typing('everywhere', '', 'many', '6400', '');
  const { code, err } = await command(
    ['init', '--data-dir', 'd', '--share', 'a', '--share', 'b', '--download-dir', 'got', '--upload-slots', '3'],
    { cwd, stdin },
  );
  t.equal(code, 0, err);
  t.match(err, /expected one of local, lan, public, got "everywhere"/);
  t.match(err, /expected a whole number from 0 to 65535, got "many"/);
  t.match(err, /TCP and UDP port 6400/);
  t.notMatch(err, /Folders to share/);
  t.match(parse(await readFile(join(cwd, 'd/servent.yaml'), 'utf8')), {
    profile: 'public',
    gnutella: { port: 6400 },
    library: { folders: [join(cwd, 'a'), join(cwd, 'b')] },
    downloads: { folder: join(cwd, 'got') },
    uploads: { slots: 3 },
  });
});

t.test('without a person it takes flags and --yes, and says so', async t => {
  const cwd = t.testdir({});
  const nobody = { cwd, stdin: new PassThrough().end() };
  t.match(await command(['init', '--data-dir', 'd', '--port', '1'], nobody), {
    code: 2,
    out: '',
    err: /standard input is no terminal: give --profile, --share, --download-dir, --mode, or --yes/,
  });
  t.match(await command(['init', '--data-dir', 'd', '--yes', '--port', 'x'], nobody), {
    code: 2,
    err: /--port: expected/,
  });
  const made = await command(['init', '--yes', '--json', '--config', 'c/my.yaml', '--data-dir', 'd'], nobody);
  t.match(made.json(), { file: join(cwd, 'c/my.yaml'), settings: { profile: 'public', dataDir: join(cwd, 'd') } });
  t.match(
    await command(['config', 'get', 'dataDir', '--offline', '--config', join(cwd, 'c/my.yaml')], {
      cwd,
      env: { SERVENT_DATA_DIR: '' },
    }),
    {
      out: `${join(cwd, 'd')}\n`,
    },
  );
});

t.test('a file that is there is not overwritten, and nothing half answered is written', async t => {
  const cwd = t.testdir({ d: { 'servent.yaml': '# mine\n' } });
  const file = join(cwd, 'd/servent.yaml');
  t.match(await command(['init', '--yes', '--data-dir', 'd'], { cwd }), { code: 1, err: /exists.*--force/ });
  const half = await command(['init', '--force', '--data-dir', 'd'], { cwd, stdin: typing('lan', '7000') });
  t.match(half, { code: 1, err: /no answer: nothing was written/ });
  t.match(await command(['init', '--force', '--data-dir', 'd'], { cwd, stdin: typing(...Array(9).fill('x')) }), {
    code: 1,
    err: /too many wrong answers/,
  });
  t.equal(await readFile(file, 'utf8'), '# mine\n');
  t.match(await command(['init', '--yes', '--force', '--data-dir', 'd', '--profile', 'local'], { cwd }), { code: 0 });
  t.match(parse(await readFile(file, 'utf8')), { profile: 'local' });
  await writeFile(file, '');
});
