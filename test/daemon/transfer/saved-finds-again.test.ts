// Runs of saved searches whose downloads cannot be added: they are tried again.
import { join } from 'node:path';
import t from 'tap';
import { silentLog } from '../../../daemon/log.ts';
import { Store } from '../../../daemon/store/store.ts';
import { SystemClock, SystemRandom } from '../../../daemon/system.ts';
import { SavedSearches } from '../../../daemon/transfer/saved-searches.ts';
import { CodedError } from '../../../protocol/errors.ts';
import { eventually } from '../../support/loopback.ts';

class Full extends CodedError<'DOWNLOADS_TOO_MANY'> {}

const content = { name: 'blue moon.ogg', size: 5, sha1: Buffer.alloc(20, 7), sources: [] };

t.test('a find whose download cannot be added is told once, and tried with each run until it can', async t => {
  const store = await Store.open(join(t.testdir(), 'store'), silentLog);
  t.teardown(() => store.close());
  let isFull = true;
  const told: string[] = [];
  const saved = new SavedSearches({
    searches: {
      start: (_: unknown, begun: (id: string) => void) => {
        begun('run');
        return { id: 'run' };
      },
      remove: () => true,
      results: () => [{ content }],
    } as never,
    downloads: {
      add: async () => {
        if (isFull) throw new Full('DOWNLOADS_TOO_MANY', 'there are too many');
        return { id: 'd1' } as never;
      },
      list: () => [],
    },
    isShared: () => false,
    isLinked: () => true,
    clock: new SystemClock(),
    random: new SystemRandom(),
    table: store.table('saved'),
    findsTable: store.table('finds'),
    declinedTable: store.table('declined'),
    log: silentLog,
    accepts: () => () => true,
    onChange: () => undefined,
    onRemoved: () => undefined,
    onFound: (_, { outcome }) => told.push(outcome),
  });
  await saved.start();
  t.teardown(() => saved.stop());
  const spec = { text: 'blue moon', urn: null, filter: null, every: null, paused: true };
  const { id } = saved.add({ ...spec, action: 'download' });
  const outcomes = async (): Promise<unknown> => {
    saved.run(id);
    saved.onSearch({ id: 'run', state: 'finished', peers: 1 } as never);
    await eventually('the run is over', () => saved.get(id)?.running === false);
    return saved.finds(id)?.map(({ outcome, error }) => [outcome, error]);
  };

  t.strictSame(await outcomes(), [['failed', 'there are too many']]);
  t.strictSame(await outcomes(), [['failed', 'there are too many']], 'tried again, and told once');
  isFull = false;
  t.strictSame(await outcomes(), [['downloaded', null]], 'instead of the failure');
  t.strictSame(await outcomes(), [['downloaded', null]], 'known by now');
  t.strictSame(told, ['failed', 'downloaded']);
  t.equal(saved.get(id)?.news, 2);
  t.match(saved.counts, { runs: 4, downloaded: 1, failed: 1 });
});
