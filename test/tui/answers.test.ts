import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Client, RefusedError } from '../../api/client.ts';
import type { ConfigPlan } from '../../api/control.ts';
import { Rehearsal } from '../../tui/demo/rehearsal.ts';
import { MemoryFile, memoryPath } from '../../tui/memory-file.ts';
import { type Call, createModel, type Model, type Step } from '../../tui/model.ts';
import { planLines, planOutcome } from '../../tui/pane.ts';
import { perform } from '../../tui/perform.ts';
import { rememberedOf, withRemembered } from '../../tui/remember.ts';
import { parseRemembered } from '../../tui/remembered.ts';
import { update } from '../../tui/update.ts';
import { downloadList } from '../../tui/views/downloads.ts';
import { aDownload, aPeer } from '../support/sample-views.ts';

const AT = Date.UTC(2026, 10, 21);
const PLAN: ConfigPlan = {
  file: '/etc/servent.yaml',
  dryRun: true,
  changes: [{ key: 'gnutella.maxLeaves', from: 60, to: 80, effect: 'hot', applied: false, error: null }],
  overruled: [{ key: 'gnutella.port', by: '--port' }],
  restart: false,
};

function fresh(scopes: readonly ('read' | 'operate' | 'admin')[] = ['read', 'operate', 'admin']): Model {
  const settings = [
    { key: 'gnutella.maxLeaves', value: 60, origin: 'default' as const, where: null, restart: false },
    { key: 'gnutella.block', value: ['10.0.0.0/8'], origin: 'file' as const, where: null, restart: false },
  ];
  const data = {
    caller: { id: 'k', name: 'k', scopes: [...scopes], expiresAt: null },
    peers: [aPeer],
    downloads: [aDownload, { ...aDownload, id: 'd2', name: 'red sun.ogg' }],
    config: { file: null, config: {}, settings },
  };
  const model = createModel({ contexts: [{ name: 'a', url: 'x' }], now: AT, columns: 100, rows: 30 });
  return update(model, { type: 'data', context: 0, at: AT, data }).model;
}

function press(model: Model, ...keys: string[]): Step {
  let step: Step = { model, effects: [] };
  for (const key of keys) step = update(step.model, { type: 'key', key, text: key });
  return step;
}
const said = (model: Model, line: string): Step => press(model, ':', ...line, 'enter');

t.test('a setting is changed only after its plan was seen', async t => {
  const { model, effects } = said(fresh(), 'config set gnutella.maxLeaves 80');
  const call = effects[0] as Call;
  t.match(call, { name: 'changeConfig', input: { gnutella: { maxLeaves: 80 }, dryRun: true } });
  const planned = update(model, { type: 'answered', ok: true, text: '', call, output: PLAN }).model;
  t.match(planned.question, {
    text: 'Change gnutella.maxLeaves?',
    about: [
      'gnutella.maxLeaves: 60 becomes 80, takes effect at once',
      'gnutella.port is written to the file, but --port takes precedence',
      'It will be written to /etc/servent.yaml.',
    ],
  });
  const yes = press(planned, 'y');
  t.strictSame((yes.effects[0] as Call).input, { gnutella: { maxLeaves: 80 } }, 'now for real');
  const outcome = { ...PLAN, dryRun: false, overruled: [], restart: true };
  const done = update(yes.model, {
    type: 'answered',
    ok: true,
    text: '',
    call: yes.effects[0] as Call,
    output: outcome,
  });
  t.match(done.model.toast, { text: '1 setting changed, effective after a restart of the daemon', mood: 'good' });
  t.equal(done.model.waiting, 0);
  const none = { ...PLAN, changes: [], overruled: [] };
  t.match(update(model, { type: 'answered', ok: true, text: '', call, output: none }).model.toast?.text, /already set/);
  const failed = { key: 'gnutella.port', from: 1, to: 2, effect: 'restart' as const, applied: false, error: 'taken' };
  t.equal(planOutcome({ ...PLAN, changes: [failed] }), 'gnutella.port: taken');
  t.match(planLines({ ...PLAN, file: null }), [/60 becomes 80/, /--port/, /no configuration file/]);
});

t.test('blocking adds to what is blocked', async t => {
  const { effects } = press(fresh(), '2', 'B');
  t.match(effects, [
    { name: 'changeConfig', input: { gnutella: { block: ['10.0.0.0/8', '127.0.0.1'] } }, title: 'Block 127.0.0.1?' },
  ]);
});

t.test('a key that may only read is told so before anything is asked', async t => {
  for (const step of [press(fresh(['read']), '5', 'p'), said(fresh(['read']), 'connect 127.0.0.1:1')]) {
    t.strictSame(step.effects, []);
    t.match(step.model.toast, { text: 'this key is read-only: nothing was done', mood: 'bad' });
  }
  t.equal(press(fresh(['read']), '1', 'w').effects.length, 1, 'asking why is reading');
  t.equal(press(fresh(['read', 'operate']), '5', 'p').effects.length, 1);
  t.match(said(fresh(['read', 'operate']), 'share /srv').model.toast?.text, 'this key is not for admins');
});

t.test('several at once are answered one by one', async t => {
  const refused = { problem: { detail: 'is complete' } };
  const client = {
    bulk: async ({ operations }: { operations: object[] }) => ({
      items: operations.map((_, i) => (i === 0 ? {} : refused)),
    }),
  } as unknown as Client;
  const { model, effects } = press(fresh(), '5', 'A', 'p');
  const [effect] = effects;
  if (effect?.type !== 'bulk') throw new Error('expected one call for both');
  const answer = await perform(client, effect);
  t.match(answer, { ok: false, text: '1 done, 1 refused' });
  const shown = update(model, { type: 'answered', ...answer }).model;
  t.match(shown.pane?.lines, [
    { text: '1 done, 1 refused' },
    {},
    { text: 'blue moon.ogg', mark: 'good' },
    { text: 'red sun.ogg: is complete', mark: 'bad' },
  ]);
  t.equal(press(shown, 'escape').model.pane, null);
  t.match(await perform(client, { ...effect.calls[0], name: 'connect' } as Call), { ok: false });
  const barred = new RefusedError({
    type: 'x',
    title: 'x',
    status: 403,
    code: 'FORBIDDEN',
    detail: 'not you',
  } as never);
  const strict = { bulk: async () => Promise.reject(barred) } as unknown as Client;
  t.match(await perform(strict, effect), { ok: false, text: 'not you' });
});

t.test('why things are as they are lies over the view, with marks, and moves within its lines', async t => {
  const rehearsal = new Rehearsal({ columns: 80, rows: 14 });
  await rehearsal.pass(1000);
  await rehearsal.press('w');
  t.match(
    rehearsal.text(),
    /Leaf or ultrapeer[\s\S]*we are an ultrapeer: the network wants one[\s\S]*✓ uptime: 3 days/,
  );
  await rehearsal.press('escape', '5', 'w');
  t.match(rehearsal.text(), /✗ sources: two of four can be reached[\s\S]*search for it again/);
  await rehearsal.press('q', '2', 'w');
  t.match(rehearsal.text(), /Handshakes[\s\S]*incoming: linked 61, refused by us 12/);
  await rehearsal.press('w', '4', 'w');
  t.match(rehearsal.text(), /✓ asked: sent to 8 neighbours/);
});

t.test('order, columns and times are remembered; a broken file is said and not used', async t => {
  const base = t.testdir({});
  const path = memoryPath({ XDG_CONFIG_HOME: base }) ?? '';
  t.equal(path, join(base, 'servent', 'dashboard.json'));
  t.equal(memoryPath({ HOME: '/home/ada' }), '/home/ada/.config/servent/dashboard.json');
  const notices: string[] = [];
  const file = () => new MemoryFile(path, text => notices.push(text));
  t.equal(await file().read(), null);
  let { model } = said(press(fresh(), '2').model, 'columns -messages.in -messages.out');
  model = press(said(model, 'sort dropped desc').model, '1', 't').model;
  const writing = file();
  writing.keep(rememberedOf(model));
  await writing.flush();
  const kept = await file().read();
  if (kept === null) throw new Error('nothing was kept');
  const again = withRemembered(fresh(), kept);
  t.strictSame(again.lists.peers.sort, { column: 'dropped', descending: true });
  t.ok(again.lists.peers.columns?.includes('address'));
  t.notOk(again.lists.peers.columns?.includes('messages.in'));
  t.equal(again.range, 'hour');
  t.strictSame(notices, []);
  for (const broken of ['{', '[]', '{"version":2}']) {
    writeFileSync(path, broken);
    t.equal(await file().read(), null);
    t.equal(parseRemembered(broken), null);
  }
  t.match(notices, [/is invalid and/, /is invalid and/, /is invalid and/]);
  const stranger = { ...kept, lists: { peers: { sort: { column: 'gone', descending: true }, columns: ['gone'] } } };
  t.match(withRemembered(fresh(), stranger).lists.peers, { sort: null, columns: null });
  t.equal(readFileSync(path, 'utf8'), '{"version":2}');
  mkdirSync(join(base, 'no'));
  const nowhere = new MemoryFile(join(base, 'servent', 'dashboard.json', 'below'), text => notices.push(text));
  nowhere.keep(kept);
  await nowhere.flush();
  t.match(notices.at(-1), /cannot save/);
});

t.test('columns that are not wanted leave the list', async t => {
  const rehearsal = new Rehearsal({ columns: 200, rows: 30 });
  await rehearsal.pass(1000);
  await rehearsal.press('2', ':');
  await rehearsal.type('columns address,dropped');
  await rehearsal.press('enter');
  t.match(rehearsal.text(), /ADDRESS +▼?DROP/);
  t.notMatch(rehearsal.text(), /SERVENT|MSG IN/);
  t.match(said(press(fresh(), '2').model, 'columns gone').model.toast?.text, 'no column gone: columns are address');
});

t.test('a filter that cannot be understood yet is said above the prompt, and Tab knows the fields', async t => {
  const rehearsal = new Rehearsal({ columns: 120, rows: 24 });
  await rehearsal.pass(1000);
  await rehearsal.press('5', '/');
  await rehearsal.type('state=p');
  t.match(rehearsal.text(), /state: expected one of queued, active, paused/);
  const narrow = new Rehearsal();
  await narrow.pass(1000);
  await narrow.press('5', '/');
  await narrow.type('frob>1');
  const said = narrow.text().replaceAll(/\s+/g, ' ');
  t.match(said, 'unknown field frob');
  for (const field of downloadList.fields.keys())
    t.match(said, field, 'every field is named, on as many lines as it takes');
  await rehearsal.press('enter');
  t.not(rehearsal.model.prompt, null, 'to be mended');
  await rehearsal.press('tab');
  t.equal(rehearsal.model.prompt?.text, 'state=paused');
  await rehearsal.press('enter');
  t.equal(rehearsal.model.lists.downloads.filter, 'state=paused');
  t.match(rehearsal.text(), /1 of 9/);
});
