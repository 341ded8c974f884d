// The page's model: what events, answers and clicks make of it.
import fc from 'fast-check';
import t from 'tap';
import type { QueryView } from '../../api/control.ts';
import type { ServentEvent } from '../../api/events.ts';
import { listsChangedBy, skippedNow } from '../../api/live/reducer.ts';
import { hashOf, type Model, may, placeOf, QUERIES_MAX, START, VIEWS } from '../../web/model.ts';
import { type Message, nextSort, update } from '../../web/update.ts';
import { eventOf as event } from '../support/sample-events.ts';
import { aDownload, anUpload, aPeer, aQuery, aSearch } from '../support/sample-views.ts';

const after = (model: Model, ...messages: Message[]): Model => messages.reduce(update, model);
const NOW = Date.parse(aQuery.at);
const events = (...list: ServentEvent[]): Message => ({ type: 'events', at: NOW, events: list });
const page = (list: Extract<Message, { type: 'page' }>['list'], ...rows: unknown[]): Message => ({
  type: 'page',
  list,
  rows,
  next: null,
});
const query = (i: number): QueryView => ({
  ...aQuery,
  id: `q${i}`,
  at: new Date(Date.parse(aQuery.at) + i).toISOString(),
});

t.test('events move what is shown, and only that', async t => {
  let model = after(START, page('downloads', aDownload), page('peers', aPeer), page('uploads', anUpload));
  model = after(model, events(event('download.progress', { ...aDownload, done: 2_000_000 })));
  t.equal(model.lists.downloads.rows[0]?.done, 2_000_000);
  const other = after(model, events(event('download.progress', { ...aDownload, id: 'elsewhere', done: 1 })));
  t.strictSame(other.lists.downloads.rows, model.lists.downloads.rows, 'a row of another page');
  model = after(
    model,
    events(
      event('download.removed', { id: aDownload.id }),
      event('link.closed', { id: aPeer.id, address: aPeer.address, code: 200, reason: '' }),
      event('upload.finished', { ...anUpload, total: 1 }),
      { ...event('link.opened'), topic: 'weather', type: 'something.new' } as unknown as ServentEvent,
    ),
  );
  t.strictSame([model.lists.downloads.rows, model.lists.peers.rows, model.lists.uploads.rows], [[], [], []]);
});

t.test(
  'queries: newest first, each once, never more than the table holds, none lost while it stands still',
  async t => {
    const step = fc.oneof(
      fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 50 }).map(list => ({ passed: list })),
      fc.boolean().map(paused => ({ paused })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), steps => {
        let model = START;
        const seen = new Set<number>();
        for (const step of steps) {
          if ('passed' in step) {
            for (const i of step.passed) seen.add(i);
            model = after(model, events(...step.passed.map(i => event('query.passed', query(i)))));
          } else {
            const { rows } = model.queries;
            model = after(model, { type: 'pauseQueries', paused: step.paused });
            if (step.paused) t.strictSame(model.queries.rows, rows, 'nothing moves under the reader');
          }
          const { rows, held, paused } = model.queries;
          t.ok(rows.length <= QUERIES_MAX && held.length <= QUERIES_MAX);
          t.equal(new Set(rows.map(({ id }) => id)).size, rows.length);
          t.ok(rows.every((row, i) => i === 0 || (rows[i - 1]?.at ?? '') >= row.at));
          if (!paused) t.equal(held.length, 0);
        }
        model = after(model, { type: 'pauseQueries', paused: false });
        const newest = [...seen].toSorted((a, b) => b - a).slice(0, 100);
        const shown = new Set(model.queries.rows.map(({ id }) => id));
        if (seen.size <= QUERIES_MAX) t.ok(newest.every(i => shown.has(`q${i}`)));
      }),
      { numRuns: 60 },
    );
  },
);

t.test('what passed too fast is counted', async t => {
  const model = after(START, events(event('query.skipped', { queries: 7, seconds: 1 })));
  t.equal(skippedNow(model.queries.skipped, NOW + 1500), 7);
  t.equal(skippedNow(model.queries.skipped, NOW + 2500), 0, 'and no longer when it is over');
});

t.test('late progress does not bring back what was paused or is complete', async t => {
  for (const state of ['paused', 'completed', 'failed'] as const) {
    const model = after(START, page('downloads', { ...aDownload, state: 'active' }));
    const ended = after(model, events(event('download.changed', { ...aDownload, state })));
    const late = after(ended, events(event('download.progress', { ...aDownload, state: 'active' })));
    t.equal(late.lists.downloads.rows[0]?.state, state);
    const resumed = after(late, events(event('download.changed', { ...aDownload, state: 'active' })));
    t.equal(resumed.lists.downloads.rows[0]?.state, 'active');
  }
});

t.test('an event says which lists are no longer what is shown', async t => {
  const changed = (event: ServentEvent) => listsChangedBy(event, 's1');
  t.strictSame(changed(event('link.opened', aPeer)), ['peers']);
  t.strictSame(changed(event('search.result', { search: 's1' })), ['searches', 'results']);
  t.strictSame(changed(event('search.result', { search: 's2' })), ['searches']);
  t.strictSame(changed(event('saved.changed')), ['savedSearches']);
  t.strictSame(changed(event('library.scanned')), ['folders', 'files']);
  t.strictSame(changed(event('download.progress', aDownload)), [], 'a row moved; the page is the same');
});

t.test('pages: forward with the cursor, back the way one came; a new order starts at the first', async t => {
  let model = after(START, { ...page('peers', aPeer), next: 'c1' } as Message);
  model = after(model, { type: 'turn', list: 'peers', to: 'next' });
  t.strictSame(model.lists.peers.trail, ['c1']);
  model = after(model, { ...page('peers', aPeer), next: 'c2' } as Message, { type: 'turn', list: 'peers', to: 'next' });
  t.strictSame(model.lists.peers.trail, ['c1', 'c2']);
  model = after(model, page('peers', aPeer), { type: 'turn', list: 'peers', to: 'next' });
  t.strictSame(model.lists.peers.trail, ['c1', 'c2'], 'there is nothing after the last');
  t.strictSame(after(model, { type: 'turn', list: 'peers', to: 'back' }).lists.peers.trail, ['c1']);
  t.strictSame(after(model, { type: 'turn', list: 'peers', to: 'first' }).lists.peers.trail, []);
  t.strictSame(after(model, { type: 'sort', list: 'peers', by: '-since' }).lists.peers.trail, []);
  t.strictSame(after(model, { type: 'filter', list: 'peers', text: 'x' }).lists.peers.trail, []);
});

t.test('a click on a head: most first, least first, as it was', async t => {
  t.equal(nextSort('', 'size'), '-size');
  t.equal(nextSort('-size', 'size'), 'size');
  t.equal(nextSort('size', 'size'), '');
  t.equal(nextSort('size', 'name'), '-name');
});

t.test('an address of the page leads to its view and back', async t => {
  fc.assert(
    fc.property(fc.constantFrom(...VIEWS), fc.string({ minLength: 1 }), (view, id) => {
      const place = { view, search: view === 'searches' ? id : null };
      t.strictSame(placeOf(hashOf(place)), place);
    }),
  );
  for (const odd of ['', '#', '#/nowhere', '#/searches/%E0%A4%A', 'x'])
    t.equal(placeOf(odd).search, null, 'broken ones lead somewhere too');
});

t.test('another search forgets the results of the last one', async t => {
  const open = after(START, { type: 'went', place: { view: 'searches', search: 's1' } }, page('results', { id: 'r1' }));
  t.equal(open.lists.results.rows.length, 1);
  const other = after(open, { type: 'went', place: { view: 'searches', search: 's2' } });
  t.notOk(other.lists.results.loaded);
  const finished = after(
    other,
    page('searches', aSearch),
    events(event('search.finished', { ...aSearch, state: 'finished' })),
  );
  t.equal(finished.lists.searches.rows[0]?.state, 'finished');
});

t.test('notices are few, and go one by one', async t => {
  const notices = Array.from(
    { length: 9 },
    (_, id): Message => ({ type: 'notice', notice: { id, kind: 'done', text: '' } }),
  );
  const model = after(START, ...notices);
  t.strictSame(
    model.notices.map(({ id }) => id),
    [5, 6, 7, 8],
  );
  t.strictSame(
    after(model, { type: 'dismiss', id: 6 }).notices.map(({ id }) => id),
    [5, 7, 8],
  );
});

t.test('a key may do what its scope includes', async t => {
  t.notOk(may(START, 'read'));
  t.ok(may({ scopes: ['operate'] }, 'read') && may({ scopes: ['operate'] }, 'operate'));
  t.notOk(may({ scopes: ['operate'] }, 'admin'));
});
