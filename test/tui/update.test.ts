import fc from 'fast-check';
import t from 'tap';
import { runCommand } from '../../tui/commands.ts';
import { bindings } from '../../tui/keys.ts';
import { createModel, type Model, type Step, worldOf } from '../../tui/model.ts';
import { update } from '../../tui/update.ts';
import { listOf, views } from '../../tui/views/all.ts';
import { wantedBy } from '../../tui/wants.ts';
import { aDownload, aFolder, aHost, aPastTransfer, aPeer, aQuery, aResult, aSearch } from '../support/sample-views.ts';

const AT = Date.UTC(2026, 10, 21);

function fresh(): Model {
  const model = createModel({
    contexts: [
      { name: 'one', url: 'http://127.0.0.1:1' },
      { name: 'two', url: 'http://127.0.0.1:2' },
    ],
    now: AT,
    columns: 80,
    rows: 24,
  });
  const data = {
    peers: ['p1', 'p2', 'p3'].map((id, i) => ({ ...aPeer, id, address: `127.0.0.1:${7000 + i}` })),
    hosts: [aHost],
    downloads: [aDownload, { ...aDownload, id: 'd2', name: 'red sun.ogg' }],
    queries: [aQuery],
    searches: [aSearch],
    folders: [aFolder],
    results: { search: aSearch.id, items: [aResult, { ...aResult, id: 'r2', name: 'other.ogg' }] },
    config: {
      file: null,
      config: {},
      settings: [
        { key: 'gnutella.maxLeaves', value: 60, origin: 'default' as const, where: null, restart: false },
        { key: 'gnutella.block', value: ['10.0.0.0/8'], origin: 'file' as const, where: null, restart: false },
        { key: 'gnutella.connect', value: ['a:1'], origin: 'file' as const, where: null, restart: true },
      ],
    },
  };
  return update(model, { type: 'data', context: 0, at: AT, data }).model;
}

/** Presses keys; a text of several letters that is no key's name is typed. */
function press(model: Model, ...keys: string[]): Step {
  let step: Step = { model, effects: [] };
  for (const key of keys) {
    const text = [...key].length === 1 ? key : key === 'space' ? ' ' : undefined;
    const { model: next, effects } = update(step.model, { type: 'key', key, ...(text === undefined ? {} : { text }) });
    step = { model: next, effects: [...step.effects, ...effects] };
  }
  return step;
}
const type = (model: Model, text: string): Step =>
  press(model, ...[...text].map(letter => (letter === ' ' ? 'space' : letter)));

t.test('each digit opens its view, arrows go round', async t => {
  for (const { id, key } of views) t.equal(press(fresh(), key).model.view, id);
  t.equal(press(fresh(), 'left').model.view, 'config');
  t.equal(press(fresh(), 'right', 'right').model.view, 'queries');
});

t.test('disconnecting asks first, names what it is about, and does it for all that are marked', async t => {
  const { model } = press(fresh(), '2', 'space', 'space', 'x');
  t.match(model.question, { text: 'Disconnect 2 peers?', about: ['127.0.0.1:7000', '127.0.0.1:7001'] });
  t.strictSame(press(model, 'z', '1').model.question, model.question, 'other keys do nothing');
  const no = press(model, 'n');
  t.strictSame([no.model.question, no.effects], [null, []]);
  t.equal(no.model.lists.peers.marks.size, 2, 'the marks stay');
  const yes = press(model, 'y');
  t.match(yes.effects, [
    {
      type: 'bulk',
      calls: [
        { name: 'disconnect', input: { id: 'p1' } },
        { name: 'disconnect', input: { id: 'p2' } },
      ],
    },
  ]);
  t.equal(yes.model.lists.peers.marks.size, 0);
  t.equal(yes.model.waiting, 1);
});

t.test('marks of rows that are gone go with them', async t => {
  const { model } = press(fresh(), '2', 'A');
  t.equal(model.lists.peers.marks.size, 3);
  const after = update(model, { type: 'data', context: 0, at: AT + 1000, data: { peers: [aPeer] } }).model;
  t.strictSame([...after.lists.peers.marks], ['p1']);
});

t.test('one result is downloaded at once, several after a question', async t => {
  const one = press(fresh(), '4', 'enter', 'd');
  t.match(one.effects, [{ name: 'startDownload', input: { search: 's1', result: 'r1' } }]);
  const two = press(fresh(), '4', 'enter', 'A', 'd');
  t.strictSame(two.effects, []);
  t.match(two.model.question, { text: 'Download 2 results?' });
});

t.test('downloads are moved, the order of several kept; completed ones are forgotten', async t => {
  const downloads = ['d1', 'd2', 'd3'].map((id, i) => ({ ...aDownload, id, position: i + 1 }));
  const model = update(fresh(), { type: 'data', context: 0, at: AT, data: { downloads } }).model;
  t.match(press(model, '5', 'J').effects, [{ name: 'changeDownload', input: { id: 'd1', position: 'down' } }]);
  const marked = press(model, '5', 'space', 'space');
  const ids = (key: string) => {
    const [effect] = press(marked.model, key).effects;
    return effect?.type === 'bulk' ? effect.calls.map(({ input }) => (input as { id: string }).id) : [];
  };
  t.strictSame(
    [ids('T'), ids('K'), ids('J'), ids('B')],
    [
      ['d2', 'd1'],
      ['d1', 'd2'],
      ['d2', 'd1'],
      ['d1', 'd2'],
    ],
  );
  t.equal(press(marked.model, 'J').model.lists.downloads.marks.size, 2, 'the marks stay, to move them on');
  t.match(press(model, '5', 'c').effects, [{ name: 'clearDownloads' }]);
});

t.test('the download under the cursor is verified, or all marked', async t => {
  const downloads = ['d1', 'd2'].map(id => ({ ...aDownload, id, state: 'completed' as const }));
  const model = update(fresh(), { type: 'data', context: 0, at: AT, data: { downloads } }).model;
  t.strictSame(press(model, '5', 'V').effects, [
    {
      type: 'call',
      name: 'verifyDownload',
      input: { id: 'd1' },
      done: 'looks through blue moon.ogg',
      title: 'blue moon.ogg',
    },
  ]);
  t.match(press(model, '5', 'A', 'V').effects, [
    { type: 'bulk', calls: ['d1', 'd2'].map(id => ({ name: 'verifyDownload', input: { id } })) },
  ]);
  t.match(runCommand(model, 'verify d2').effects, [{ name: 'verifyDownload', input: { id: 'd2' } }]);
});

t.test('finished transfers take the place of the downloads, and are asked for only then', async t => {
  const before = press(fresh(), '5').model;
  t.notOk('past' in wantedBy(before, true).needs);
  const { model } = press(before, 'f');
  t.equal(listOf(model)?.id, 'past');
  t.ok('past' in wantedBy(model, true).needs && 'past' in wantedBy(model, false).needs);
  const told = update(model, { type: 'data', context: 0, at: AT, data: { past: [aPastTransfer] } }).model;
  t.equal(worldOf(told).past.length, 1);
  t.strictSame(press(told, 'p').effects, [], 'nothing to pause there');
  t.match(press(told, 'Y').effects, [{ type: 'copy' }]);
  t.equal(listOf(press(told, 'f').model)?.id, 'downloads');
});

t.test('downloads are paused, resumed, reordered; cancelling asks', async t => {
  t.match(press(fresh(), '5', 'p').effects, [{ name: 'changeDownload', input: { id: 'd1', state: 'paused' } }]);
  t.match(press(fresh(), '5', 'down', 'r').effects, [{ input: { id: 'd2', state: 'active' } }]);
  t.match(press(fresh(), '5', '+').effects, [{ input: { id: 'd1', priority: 1 } }]);
  t.match(press(fresh(), '5', '-').effects, [{ input: { id: 'd1', priority: -1 } }]);
  t.match(press(fresh(), '5', 'x').model.question, { text: 'Cancel 1 download?', about: [aDownload.name] });
});

t.test('the command line knows the words of the command line', async t => {
  const said = (line: string): Step => press(type(press(fresh(), ':').model, line).model, 'enter');
  t.match(said('connect 127.0.0.1:7777').effects, [{ name: 'connect', input: { address: '127.0.0.1:7777' } }]);
  t.match(said('connect 10.0.0.1').effects, [{ input: { address: '10.0.0.1:6346' } }], 'no port means 6346');
  t.match(said('browse ::1').effects, [{ input: { browse: '[::1]:6346' } }]);
  t.match(said('search blue moon').effects, [{ name: 'startSearch', input: { text: 'blue moon' } }]);
  t.match(said('search --urn urn:sha1:X').effects, [{ input: { urn: 'urn:sha1:X' } }]);
  t.match(said('download magnet:?xt=1').effects, [{ name: 'startDownload', input: { magnet: 'magnet:?xt=1' } }]);
  t.match(said('download r2').effects, [{ input: { search: 's1', result: 'r2' }, done: 'downloading other.ogg' }]);
  t.match(said('pause d1 d2').effects, [{ type: 'bulk', calls: [{ input: { id: 'd1' } }, { input: { id: 'd2' } }] }]);
  t.match(said('end-scans').effects, [{ name: 'cancelHashing' }]);
  t.match(said('disconnect 127.0.0.1:7001').effects, [{ name: 'disconnect', input: { id: 'p2' } }]);
  t.match(said('config set gnutella.maxLeaves 80').effects, [
    { name: 'changeConfig', input: { gnutella: { maxLeaves: 80 } } },
  ]);
  t.match(said('config set gnutella.connect a:1,b:2').effects, [{ input: { gnutella: { connect: ['a:1', 'b:2'] } } }]);
  t.match(said('share /srv/my files').effects, [{ name: 'shareFolder', input: { path: '/srv/my files' } }]);
  t.match(said('preview /srv/my files').effects, [{ name: 'previewFolder', input: { path: '/srv/my files' } }]);
  t.match(said('exclude /srv/files *.iso /drafts/').effects, [
    { name: 'changeFolder', input: { id: 'l1', exclude: ['*.iso', '/drafts/'] } },
  ]);
  t.match(said('exclude l1').effects, [{ name: 'changeFolder', input: { id: 'l1', exclude: [] } }]);
  t.match(said('exclude /srv/filesystem *.iso').model.toast, {
    mood: 'bad',
    text: /does not begin with a shared folder/,
  });
  t.equal(said('hosts').model.view, 'hosts');
  t.equal(said('dow').model.toast?.mood, 'bad', 'download or downloads?');
  t.match(said('ups').model.toast, { mood: 'bad', text: 'no command ups: ? lists them' });
  t.equal(said('upl').model.view, 'uploads', 'the only one that begins so');
  t.match(said('connect nowhere').model, { prompt: { text: 'connect nowhere' }, toast: { mood: 'bad' } });
  t.match(said('quit').effects, [{ type: 'quit' }]);
});

t.test('a search is followed by its results, whatever was looked at before', async t => {
  const before = press(fresh(), '4').model;
  const elsewhere = { ...before.lists.searches, key: 'other', filter: 'other' };
  const model = { ...before, lists: { ...before.lists, searches: elsewhere } };
  const asked = press(type(press(model, 's').model, 'blue moon').model, 'enter');
  t.match(asked.model, { view: 'searches', second: true });
  const [call] = asked.effects;
  if (call?.type !== 'call') throw new Error('no search was asked for');
  const output = { ...aSearch, id: 's2' };
  const { model: answered } = update(asked.model, { type: 'answered', ok: true, text: call.done, call, output });
  t.match(answered.lists.searches, { key: 's2', filter: '' });
  const filtering = type(answered, '/size>1').model;
  t.equal(filtering.prompt?.fault, null, 'filters are about results');
});

t.test('the prompt is edited as everywhere, and remembers what was said', async t => {
  let model = press(type(press(fresh(), ':').model, 'connect a:1').model, 'enter').model;
  model = press(
    type(press(model, ':').model, 'conect b:2').model,
    'home',
    'right',
    'right',
    'right',
    'n',
    'end',
    '3',
  ).model;
  t.equal(model.prompt?.text, 'connect b:23');
  model = press(model, 'C-w', 'backspace').model;
  t.equal(model.prompt?.text, 'connect');
  model = press(model, 'C-u', 'up').model;
  t.equal(model.prompt?.text, 'connect a:1');
  model = press(model, 'down').model;
  t.equal(model.prompt?.text, '');
  t.equal(press(model, 'backspace').model.prompt, null);
  t.equal(press(model, 'escape').model.prompt, null);
});

t.test('Tab completes words and what they take', async t => {
  const tabbed = (line: string, ...tabs: string[]) =>
    press(type(press(fresh(), ':').model, line).model, ...tabs).model.prompt?.text;
  t.equal(tabbed('resc', 'tab'), 'rescan ');
  t.equal(tabbed('q', 'tab'), 'qu', 'as far as queries and quit go together');
  t.equal(tabbed('q', 'tab', 'tab', 'tab'), 'quit');
  t.equal(tabbed('q', 'tab', 'tab', 'tab', 'S-tab'), 'queries');
  t.equal(tabbed('connect ', 'tab'), `connect ${aHost.address} `);
  t.equal(tabbed('pause d', 'tab', 'tab'), 'pause d2');
  t.equal(tabbed('config set gnutella.m', 'tab'), 'config set gnutella.maxLeaves ');
  t.equal(tabbed('xyz ', 'tab'), 'xyz ');
});

t.test('a filter works while it is typed, and Escape takes it off', async t => {
  let model = type(press(fresh(), '2', '/').model, '7001').model;
  t.equal(model.lists.peers.filter, '7001');
  model = press(model, 'enter').model;
  t.equal(model.prompt, null);
  t.match(press(model, 'x').model.question?.about, ['127.0.0.1:7001']);
  t.equal(press(model, 'escape').model.lists.peers.filter, '');
});

t.test('a frozen stream stays as it was while queries pass', async t => {
  let { model } = press(fresh(), '3', 'p');
  model = update(model, {
    type: 'data',
    context: 0,
    at: AT + 1000,
    data: { queries: [{ ...aQuery, id: 'q2' }] },
  }).model;
  t.equal(model.paused?.length, 1);
  t.equal(worldOf(model).queries.length, 2);
  t.equal(press(model, 'p').model.paused, null);
  t.equal(press(model, 'S').model.prompt?.text, 'search blue moon');
});

t.test('what a daemon says belongs to that daemon', async t => {
  let model = update(fresh(), { type: 'data', context: 1, at: AT, data: { peers: [aPeer] } }).model;
  t.equal(worldOf(model).peers.length, 3);
  model = press(model, 'C').model;
  t.equal(worldOf(model).peers.length, 1);
  t.equal(press(model, 'C').model.context, 0);
});

t.test('leaving asks while a call is under way', async t => {
  t.match(press(fresh(), 'q').effects, [{ type: 'quit' }]);
  let { model } = press(fresh(), '5', 'p', 'q');
  t.match(model.question, { text: 'Quit before a call has been answered?' });
  model = update(press(model, 'n').model, { type: 'answered', ok: true, text: 'paused' }).model;
  t.match(model.toast, { text: 'paused', mood: 'good' });
  t.match(press(model, 'q').effects, [{ type: 'quit' }]);
});

t.test('a click picks a row, a second one opens it; headers sort; the wheel moves', async t => {
  let { model } = press(fresh(), '2');
  model = update(model, { type: 'pick', list: 'peers', key: 'p2', mark: false }).model;
  t.equal(model.lists.peers.key, 'p2');
  model = update(model, { type: 'pick', list: 'peers', key: 'p2', mark: false }).model;
  t.equal(model.details, true);
  model = update(model, { type: 'sort', list: 'peers', column: 'dropped' }).model;
  t.strictSame(model.lists.peers.sort, { column: 'dropped', descending: true });
  model = update(model, { type: 'sort', list: 'peers', column: 'dropped' }).model;
  t.strictSame(model.lists.peers.sort, { column: 'dropped', descending: false });
  model = update(model, { type: 'wheel', list: 'peers', by: 3 }).model;
  t.equal(model.lists.peers.key, 'p3');
});

t.test('any keys in any order keep the model whole', async t => {
  const keys = [
    ...new Set([...bindings.flatMap(({ keys }) => keys), ...views.map(({ key }) => key), 'y', 'n', 'z', 'é', '雨']),
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...keys), { maxLength: 60 }), pressed => {
      const { model } = press(fresh(), ...pressed);
      for (const state of Object.values(model.lists)) if (!(state.index >= 0)) t.fail(pressed.join(' '));
      if (model.prompt !== null && model.prompt.caret > [...model.prompt.text].length) t.fail(pressed.join(' '));
    }),
  );
  t.pass();
});
