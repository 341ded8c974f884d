// What a download waits for in words, and its chunks as cells.
import fc from 'fast-check';
import t from 'tap';
import { type ChunkSpan, cellRuns, chunkCells } from '../../api/chunk-cells.ts';
import { sendingText, waitText } from '../../api/download-wait.ts';
import { AT, aDownload, someChunks } from '../support/sample-views.ts';

const NOW = Date.parse(AT);
const [active, queued] = aDownload.sources as [(typeof aDownload.sources)[0], (typeof aDownload.sources)[0]];

t.test('sources that send, and what is waited for otherwise', async t => {
  t.equal(sendingText(aDownload), '1 of 2 sources');
  t.equal(waitText(aDownload, NOW), null, 'bytes come');
  const idle = { ...active, state: 'idle' };
  const failed = { ...active, state: 'waiting', error: 'refused' };
  const wait = (...sources: (typeof active)[]) => waitText({ ...aDownload, state: 'queued', sources }, NOW);
  t.equal(wait(idle, queued), 'in 1 queue: place 3 of 10, about 5 min');
  const nearer = { ...queued, queue: { position: 1, length: null, eta: null, id: null } };
  t.equal(wait(queued, nearer), 'in 2 queues: place 1');
  t.equal(wait({ ...idle, state: 'connecting' }, failed), 'connecting');
  t.equal(wait(failed, failed), 'sources failed and are tried again');
  t.equal(wait(idle), 'waits for its turn');
  t.equal(waitText({ ...aDownload, state: 'active', sources: [idle] }, NOW), 'between two requests');
  for (const state of ['paused', 'verifying', 'completed', 'failed'] as const)
    t.equal(waitText({ ...aDownload, state, sources: [] }, NOW), null, state);
});

t.test('cells have the state of their bytes', async t => {
  const cells = (count: number) =>
    chunkCells(someChunks.states, 4_200_000, count)
      .map(state => state.charAt(0))
      .join('');
  t.equal(cells(42), 'vvvvvvvvvvaaaammmmmmmmmmmmmmmmmmmmmmmmmmmm', 'half received, half asked for: it is asked for');
  t.equal(cells(84).slice(18, 30), 'vvraaaaaamm'.padEnd(12, 'm'), 'finer cells show what was received');
  t.equal(cells(1), 'a', 'something happens');
  t.strictSame(cellRuns(chunkCells(someChunks.states, 4_200_000, 4)), [
    { state: 'verified', from: 0, count: 1 },
    { state: 'assigned', from: 1, count: 1 },
    { state: 'missing', from: 2, count: 2 },
  ]);
  t.strictSame(chunkCells([], 100, 3), ['missing', 'missing', 'missing']);
});

t.test('any chunks give as many cells as asked for, and one of a single state only that', async t => {
  const states = ['missing', 'assigned', 'received', 'verified'] as const;
  const part = fc.record({ bytes: fc.integer({ min: 1, max: 1000 }), state: fc.constantFrom(...states) });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 200 }), (parts, count) => {
      let at = 0;
      const chunks = parts.map(({ bytes, state }): ChunkSpan => {
        at += bytes;
        return { start: at - bytes, end: at, state };
      });
      const cells = chunkCells(chunks, at, count);
      const there = new Set(parts.map(({ state }) => state));
      return cells.length === count && cells.every(state => there.has(state));
    }),
  );
  t.pass('held');
});
