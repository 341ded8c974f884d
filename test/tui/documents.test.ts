import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { commandRows } from '../../tui/commands.ts';
import { pictures, withPicture } from '../../tui/demo/pictures.ts';
import { dashboardDocument } from '../../tui/help.ts';
import { bindings, keyName } from '../../tui/keys.ts';
import { projectRoot } from '../support/fixtures.ts';

process.env['TZ'] = 'UTC';
const read = (file: string): string => readFileSync(join(projectRoot, file), 'utf8');

t.test('docs/dashboard.md and the picture in the README are what the sources say', async t => {
  const shown = await pictures();
  t.equal(read('docs/dashboard.md'), dashboardDocument(shown), 'if not: npm run docs');
  t.equal(read('README.md'), withPicture(read('README.md'), shown), 'if not: npm run docs');
  t.match(read('README.md'), /picture: Overview -->\n```text\n ● demo/);
});

t.test('every key and every word is documented', async t => {
  const text = dashboardDocument();
  for (const { keys, help } of bindings) {
    t.ok(text.includes(`| \`${keys.map(keyName).join(' ')}\` |`), keys.join(' '));
    t.ok(text.includes(help), help);
  }
  for (const { word } of commandRows) t.match(text, new RegExp(`\\| \`${word}[ \`]`), word);
});

t.test('no key means two things in one place', async t => {
  const taken = new Map<string, string>();
  for (const { keys, where, action } of bindings) {
    if (!Array.isArray(where)) continue;
    for (const place of where)
      for (const key of keys) {
        t.notOk(taken.has(`${place} ${key}`), `${key} with ${place}: ${action} and ${taken.get(`${place} ${key}`)}`);
        taken.set(`${place} ${key}`, action);
      }
  }
});
