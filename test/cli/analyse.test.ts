import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { questionNames } from '../../measure/questions.ts';
import { command } from '../support/command.ts';
import { duckDbMissing } from '../support/duckdb.ts';
import { writeJournal } from '../support/journals.ts';

const skip = (await duckDbMissing()) ?? false;

/** A recording of queries with these texts. */
function recording(folder: string, texts: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  const rows = texts.map((text, i) => ({
    ...{ seq: i + 1, at_ms: 1_700_000_000_000 + i, link: 1, guid: String(i).padStart(32, '0') },
    ...{ ttl: 3, hops: 1, bytes: 20, own_hits: 0, urns: 0, text, words: text },
  }));
  const journal = join(folder, 'queries-00000001-0123abcd.journal');
  writeJournal(journal, 'queries', rows);
  appendFileSync(journal, 'svj1 that is still being wri');
  return folder;
}

const TEXT = 'the quick brown fox jumps over the lazy dog the end';

t.test('without a question the questions are listed', async t => {
  const { code, out, json } = await command(['analyse', '--json']);
  t.equal(code, 0);
  t.strictSame(
    json<{ name: string }[]>().map(({ name }) => name),
    questionNames,
  );
  t.match(out, /word count/);
  t.match((await command(['analyse'])).out, /QUESTION +TEACHES\n.*top-words/);
});

t.test('the words of a known text are counted exactly', { skip }, async t => {
  const folder = recording(
    join(t.testdir({}), 'r'),
    TEXT.split(' the ').map((part, i) => (i === 0 ? part : `the ${part}`)),
  );
  const { code, err, json } = await command(['analyse', 'top-words', '--recording', folder, '--json', '--top', '3']);
  t.equal(code, 0, err);
  const { question, rows, seconds, engine } = json<Record<string, unknown>>();
  t.match(
    { question, rows, engine },
    {
      question: 'top-words',
      rows: [
        { word: 'the', count: 3 },
        { word: 'brown', count: 1 },
        { word: 'dog', count: 1 },
      ],
      engine: 'duckdb',
    },
  );
  t.type(seconds, 'number');
});

t.test('a folder of any name is read, and no other one', { skip }, async t => {
  const home = t.testdir({});
  for (const name of ["it's [1]", 'r', 'r1']) recording(join(home, name), [TEXT]);
  recording(join(home, '[r]*'), ['one word']);
  const counted = async (name: string): Promise<unknown> =>
    (await command(['analyse', 'top-words', '--recording', join(home, name), '--json', '--top', '1'])).json();
  t.match(await counted('[r]*'), { rows: [{ word: 'one', count: 1 }] });
  t.match(await counted("it's [1]"), { rows: [{ word: 'the', count: 3 }] });
});

t.test('tables, CSV, plots and SVG', { skip }, async t => {
  const cwd = t.testdir({});
  recording(join(cwd, 'data', 'recordings'), ['blue moon', 'blue']);
  const at = { cwd, env: { SERVENT_DATA_DIR: join(cwd, 'data') } };
  t.match((await command(['analyse', 'top-words'], at)).out, /^WORD +COUNT\nblue +2\nmoon +1\n$/);
  t.equal((await command(['analyse', 'top-words', '--csv'], at)).out, 'word,count\r\nblue,2\r\nmoon,1\r\n');
  const { out, err } = await command(['analyse', 'top-words', '--plot', '--svg', 'picture.svg'], at);
  t.match(out, /top-words: count over rank/);
  t.match(err, /written: .*picture\.svg/);
  t.match(readFileSync(join(cwd, 'picture.svg'), 'utf8'), /^<svg /);
  t.match(await command(['analyse', 'churn'], at), {
    code: 0,
    out: '',
    err: /churn: the recording has no rows for it/,
  });
});

t.test('the folder is the one of the configuration file', { skip }, async t => {
  const cwd = t.testdir({ data: { 'servent.yaml': 'recording:\n  folder: ../elsewhere\n' } });
  recording(join(cwd, 'elsewhere'), ['blue']);
  t.match(await command(['analyse', 'top-words', '--data-dir', 'data'], { cwd, env: {} }), { code: 0, out: /blue +1/ });
});

t.test('what is wrong is said', { skip }, async t => {
  const cwd = t.testdir({ 'note.txt': 'x' });
  t.match(await command(['analyse', 'nothing']), {
    code: 2,
    err: /there is no question nothing: there are top-words, /,
  });
  t.match(await command(['analyse', 'ttl', '--recording', 'away'], { cwd }), {
    code: 1,
    err: /there is no recording at .*away/,
  });
  t.match(await command(['analyse', 'ttl', '--recording', 'note.txt'], { cwd }), {
    code: 1,
    err: /is no segment of a recording/,
  });
  t.match(await command(['analyse', 'ttl', '--cluster', 'x'], { cwd }), { code: 2, err: /goes with --clickhouse/ });
  t.match(await command(['analyse', 'ttl', '--clickhouse', 'nowhere'], { cwd }), {
    code: 1,
    err: /expected the address/,
  });
});

t.test('the tables of a database are printed', async t => {
  const { code, out } = await command(['recordings', '--schema', '--database', 'mine', '--cluster', 'fleet']);
  t.equal(code, 0);
  t.match(out, /^CREATE DATABASE IF NOT EXISTS mine;\nCREATE TABLE IF NOT EXISTS mine\.queries \(servent String, /);
  t.match(out, /mine\.all_queries AS mine\.queries ENGINE = Distributed\(fleet, mine, queries\);/);
});
