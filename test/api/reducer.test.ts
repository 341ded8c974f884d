// Dashboard and web page know the same after the same events.
import fc from 'fast-check';
import t from 'tap';
import { type EventType, eventTypes, type ServentEvent } from '../../api/events.ts';
import { skippedNow } from '../../api/live/reducer.ts';
import { withEvents } from '../../tui/events.ts';
import { emptyWorld } from '../../tui/model.ts';
import { START } from '../../web/model.ts';
import { update } from '../../web/update.ts';
import { eventOf } from '../support/sample-events.ts';
import { aDownload, anUpload, aSearch } from '../support/sample-views.ts';

const AT = Date.UTC(2026, 10, 21);

t.test('the dashboard and the page know the same of the rows that both show', async t => {
  const type = fc.constantFrom<EventType>(...eventTypes);
  fc.assert(
    fc.property(fc.constantFrom('queued', 'active', 'paused', 'completed'), fc.array(type), (state, types) => {
      const events = types.map((type, i) => eventOf(type, {}, i + 1, new Date(AT + i).toISOString()));
      const rows = { downloads: [{ ...aDownload, state }], uploads: [anUpload], searches: [aSearch] };
      const world = withEvents({ ...emptyWorld, ...rows }, events, AT);
      let page = START;
      for (const list of ['downloads', 'uploads', 'searches'] as const)
        page = update(page, { type: 'page', list, rows: rows[list], next: null });
      page = update(page, { type: 'events', at: AT, events });
      for (const list of ['downloads', 'uploads', 'searches'] as const) {
        const shown = page.lists[list].rows;
        // What was removed and came again is on a page only after it was asked for.
        const known = world[list].filter(({ id }) => shown.some(row => row.id === id));
        t.strictSame(shown, known);
      }
      t.strictSame(page.status, world.status);
      t.strictSame(page.queries.rows, world.queries);
      t.equal(skippedNow(page.queries.skipped, AT + 1), skippedNow(world.skipped, AT + 1));
    }),
    { numRuns: 200 },
  );
});

t.test('events and topics of a newer daemon are left alone by both', async t => {
  const newer = { id: 1, at: new Date(AT).toISOString(), topic: 'weather', type: 'weather.rain', data: null };
  const events = [newer as unknown as ServentEvent];
  t.strictSame(withEvents(emptyWorld, events, AT), emptyWorld);
  t.strictSame(update(START, { type: 'events', at: AT, events }), START);
});
