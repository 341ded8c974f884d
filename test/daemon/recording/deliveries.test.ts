// Closed journals are sent to a database, which here only notes what it gets.
import { appendFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Deliveries, type DeliveriesOptions } from '../../../daemon/recording/deliveries.ts';
import type { RecordingReply } from '../../../daemon/recording/recording-messages.ts';
import { RecordingWriter } from '../../../daemon/recording/recording-writer.ts';
import { AUTHOR, writeJournal } from '../../support/journals.ts';
import { eventually } from '../../support/loopback.ts';

const nameOf = (n: number): string => `roles-0000000${n}-0123abcd.unsent.journal`;

/** A folder with journals of one row, known to its writer. */
async function recorded(folder: string, count: number) {
  const said: RecordingReply[] = [];
  for (let n = 1; n <= count; n++)
    writeJournal(join(folder, nameOf(n)), 'roles', [{ seq: n, at_ms: 1, role: 'leaf', why: 'x' }]);
  const given = {
    folder,
    servent: AUTHOR.servent,
    run: AUTHOR.run,
    bytesMax: 1e9,
    segmentBytes: 1e6,
    segmentMs: 60_000,
  };
  const writer = new RecordingWriter({ ...given, salt: null, url: 'http://127.0.0.1:1' }, reply => said.push(reply));
  await writer.folder.load();
  const lines = () => said.flatMap(reply => (reply.kind === 'said' ? [reply.text] : []));
  return { writer, said, lines };
}

/** The first `failures` inserts fail. */
function sendTo(
  { writer, said }: { writer: RecordingWriter; said: RecordingReply[] },
  failures = 0,
): { deliveries: Deliveries; inserted: string[]; looked: string[] } {
  const looked: string[] = [];
  const inserted: string[] = [];
  const database: DeliveriesOptions['database'] = {
    host: 'db:1',
    prepare: async () => {},
    look: async ({ id }) => {
      looked.push(id);
      return { running: false, present: 0 };
    },
    present: async () => new Set(),
    insert: async ({ id }) => {
      if (failures-- > 0) throw new Error('not now');
      inserted.push(id);
    },
    close: async () => {},
  };
  const say = (reply: RecordingReply): void => void said.push(reply);
  const deliveries = new Deliveries({ writer, database, segmentMs: 1, run: AUTHOR.run, say });
  deliveries.start();
  return { deliveries, inserted, looked };
}

t.test('a journal that is gone, or cannot be read, holds up no other, and the database is not blamed', async t => {
  const folder = t.testdir({});
  const known = await recorded(folder, 4);
  rmSync(join(folder, nameOf(1)));
  rmSync(join(folder, nameOf(2)));
  mkdirSync(join(folder, nameOf(2)));
  const { deliveries, inserted } = sendTo(known);
  await eventually('the others are sent', () => known.writer.sent === 2);
  await deliveries.stop();
  t.strictSame(
    inserted,
    [3, 4].map(n => `${AUTHOR.servent}-${nameOf(n)}`),
  );
  t.match(known.lines(), [/^roles-00000001-.* is gone from /, /^roles-00000002-.* cannot be read: EISDIR/]);
  t.equal(known.lines().length, 2);
  t.strictSame(
    known.writer.folder.list().map(({ name }) => name),
    [nameOf(2)],
    'what could not be read stays',
  );
});

t.test('an attempt that failed counts no broken row twice, and asks what is there', async t => {
  const folder = t.testdir({});
  const known = await recorded(folder, 2);
  appendFileSync(join(folder, nameOf(1)), 'svj1 cut');
  const { deliveries, inserted, looked } = sendTo(known, 1);
  await eventually('both are sent', () => known.writer.sent === 2);
  await deliveries.stop();
  t.equal(inserted.length, 2);
  t.strictSame(looked, [`${AUTHOR.servent}-${nameOf(1)}`], 'of what nobody tried before it is not asked');
  t.strictSame(known.writer.counts.lost, { broken: 1 });
  t.match(known.lines(), [/^ClickHouse at db:1 does not take rows: not now/, /^ClickHouse at db:1 takes rows again/]);
});

t.test('a journal of which nothing can be read is kept under another name', async t => {
  const folder = t.testdir({});
  const known = await recorded(folder, 2);
  writeFileSync(join(folder, nameOf(1)), 'no frame');
  const { deliveries } = sendTo(known);
  await eventually('the other is sent', () => known.writer.sent === 1);
  await deliveries.stop();
  t.strictSame(readdirSync(folder), [`${nameOf(1)}.unreadable`]);
  t.strictSame(known.writer.counts.lost, { broken: 1 });
  t.match(known.lines(), [/^no row of .* can be read/]);
});
