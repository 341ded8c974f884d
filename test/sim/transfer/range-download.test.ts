// Downloads in ranges: whatever sources do, all ranges come while one of them stays.
import fc from 'fast-check';
import t from 'tap';
import { Network } from '../../../sim/network.ts';
import { SeededRandom } from '../../../sim/seeded-random.ts';
import { RangeDownload, type RangeMessage } from '../../../sim/transfer/range-download.ts';

function download(rangeMs: readonly number[], parallel: number, ranges: number, patienceMs: number) {
  const network = new Network<RangeMessage>({
    nodes: rangeMs.length + 1,
    random: new SeededRandom(1),
    latencyMs: () => 0,
  });
  const sources = rangeMs.map((_, i) => i + 1);
  const fetched = new RangeDownload({
    ...{ network, downloader: 0, sources, ranges, parallel, patienceMs },
    rangeMs: source => rangeMs[source - 1] ?? 1,
  });
  return { network, fetched };
}

t.test('sources share the ranges by their speed', async t => {
  const { network, fetched } = download([100, 300], 2, 8, 1000);
  fetched.start();
  network.run();
  t.strictSame([network.sent[1], network.sent[2]], [6, 2]);
  t.equal(fetched.doneAt, 600);
});

t.test('all ranges come while one source stays', async t => {
  const stops = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 0, maxLength: 5 });
  const property = fc.property(
    stops,
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 30 }),
    (stops, parallel, ranges) => {
      const { network, fetched } = download([100, ...stops.map((_, i) => 50 + 40 * i)], parallel, ranges, 500);
      for (const [i, at] of stops.entries()) network.after(at, () => network.fail(i + 2));
      fetched.start();
      network.run();
      return fetched.missing === 0 && fetched.doneAt !== null && fetched.repeated === 0;
    },
  );
  t.doesNotThrow(() => fc.assert(property, { seed: 1 }));
});

t.test('a source that was given up and comes late is not asked again', async t => {
  const { network, fetched } = download([900, 100], 1, 3, 500);
  fetched.start();
  network.run();
  t.strictSame([network.taken[1], network.taken[2]], [1, 3], 'the first is too slow, the second takes its place');
  t.equal(fetched.repeated, 1);
  t.equal(fetched.missing, 0);
});
