import t from 'tap';
import { parseSegmentFile, type SegmentState, segmentFile, segmentsAmong, surplus } from '../../measure/segment.ts';

t.test('names of segments say what they are', async t => {
  for (const kind of ['journal', 'unsent', 'parquet'] as const) {
    const name = { table: 'query_counts', number: 12, run: '00ff00ff', kind } as const;
    t.strictSame(parseSegmentFile(segmentFile(name)), name);
  }
  t.equal(
    segmentFile({ table: 'hits', number: 123_456_789, run: '00ff00ff', kind: 'parquet' }),
    'hits-123456789-00ff00ff.parquet',
  );
  for (const other of [
    'queries-1-00ff00ff.journal',
    'others-00000001-00ff00ff.journal',
    'queries-00000001-00ff00ff.parquet.tmp',
    '',
  ])
    t.equal(parseSegmentFile(other), null, other === '' ? 'no name' : other);
});

t.test('of a journal and its Parquet file only that is read', async t => {
  const files = [
    'queries-00000002-00ff00ff.journal',
    'queries-00000001-00ff00ff.journal',
    'queries-00000002-00ff00ff.parquet',
    'note.txt',
  ];
  t.strictSame(
    segmentsAmong(files).map(({ file }) => file),
    ['queries-00000001-00ff00ff.journal', 'queries-00000002-00ff00ff.parquet'],
  );
});

t.test('the oldest go, and open ones stay', async t => {
  const segment = (number: number, state: SegmentState) => ({ number, bytes: 10, state });
  const all = [segment(3, 'parquet'), segment(1, 'open'), segment(2, 'parquet'), segment(4, 'open')];
  t.strictSame(surplus(all, 40), []);
  t.strictSame(
    surplus(all, 25).map(({ number }) => number),
    [2, 3],
  );
  t.strictSame(
    surplus(all, 0).map(({ number }) => number),
    [2, 3],
  );
});
