import t from 'tap';
import type { Client } from '../../api/client.ts';
import { askFleet, fleetPane } from '../../tui/fleet.ts';
import { createModel } from '../../tui/model.ts';
import { update } from '../../tui/update.ts';
import { serveFake } from '../support/api-server.ts';

t.test('F in the overview asks all daemons and shows those that do not answer too', async t => {
  const { client, server } = await serveFake(t);
  const gone = { status: () => Promise.reject(new Error('connection refused')) } as unknown as Client;
  const contexts = [
    { name: 'one', url: server.url },
    { name: 'two', url: 'http://127.0.0.1:1' },
  ];
  const model = createModel({ contexts, now: 0, columns: 80, rows: 24 });
  const asked = update(model, { type: 'key', key: 'F' });
  t.strictSame(asked.effects, [{ type: 'fleet' }]);
  const rows = await askFleet([
    { name: 'one', client },
    { name: 'two', client: gone },
  ]);
  const { pane } = update(asked.model, { type: 'fleet', rows }).model;
  t.strictSame(pane, fleetPane(rows));
  const lines = pane?.lines ?? [];
  t.match(lines[0], { text: /^one: (leaf|ultrapeer), up /, mark: 'good' });
  t.match(lines[1]?.text, /ultrapeers, \d+ leaves, \d+ files/);
  t.match(lines.at(-2), { text: 'two', mark: 'bad' });
  t.match(lines.at(-1)?.text, /connection refused/);
  t.ok(lines.every(({ text }) => text.length < 78));
});
