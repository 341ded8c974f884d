// Draws which bytes of a download are there.
import { type CellState, cellRuns, chunkCells } from '../api/chunk-cells.ts';
import type { DownloadChunksView } from '../api/control.ts';
import { formatShare } from '../api/format.ts';
import { h, type Sketch } from './sketch.ts';

const CELLS = 240;
const WORDS = { verified: 'verified', received: 'received', assigned: 'asked for', missing: 'missing' } as const;
const STATES = Object.keys(WORDS) as CellState[];

export function chunkBar({ states }: DownloadChunksView, size: number): Sketch {
  const bytes = { verified: 0, received: 0, assigned: 0, missing: 0 };
  for (const { start, end, state } of states) bytes[state] += end - start;
  const shares = STATES.filter(state => bytes[state] > 0).map(
    state => [state, formatShare(bytes[state], size)] as const,
  );
  return h(
    'figure',
    { class: 'chunks' },
    h(
      'svg',
      {
        viewBox: `0 0 ${CELLS} 10`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `Parts of the file: ${shares.map(([state, share]) => `${WORDS[state]} ${share}`).join(', ')}`,
      },
      cellRuns(chunkCells(states, size, CELLS)).map(({ state, from, count }) =>
        h('rect', { class: state, x: from, y: 0, width: count, height: 10 }),
      ),
    ),
    h(
      'figcaption',
      {},
      shares.map(([state, share]) => h('span', { class: `legend ${state}` }, `${WORDS[state]} `, h('b', {}, share))),
    ),
  );
}
