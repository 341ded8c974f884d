// Scales the chunks of a download to a row of cells, for terminals and the web page. Pure; browsers load it too.

export type CellState = 'missing' | 'assigned' | 'received' | 'verified';

export interface ChunkSpan {
  readonly start: number;
  readonly end: number;
  readonly state: CellState;
}

const STATES = ['missing', 'received', 'verified'] as const;

/**
 * Each cell has the state of most of its bytes, but is `assigned` when any byte of it is being fetched, and `missing` rather than done
 * while any byte is missing at equal shares. Nothing is known beyond the last chunk: missing.
 */
export function chunkCells(chunks: readonly ChunkSpan[], size: number, count: number): CellState[] {
  const cells: CellState[] = [];
  let first = 0;
  for (let i = 0; i < count; i++) {
    const start = (i * size) / count;
    const end = ((i + 1) * size) / count;
    const bytes = { missing: 0, assigned: 0, received: 0, verified: 0 };
    while (first < chunks.length && (chunks[first]?.end ?? 0) <= start) first++;
    for (let at = first; at < chunks.length; at++) {
      const chunk = chunks[at];
      if (chunk === undefined || chunk.start >= end) break;
      bytes[chunk.state] += Math.min(end, chunk.end) - Math.max(start, chunk.start);
    }
    const most = STATES.reduce((best, state) => (bytes[state] > bytes[best] ? state : best), 'missing' as CellState);
    cells.push(bytes.assigned > 0 ? 'assigned' : most);
  }
  return cells;
}

/** Runs of equal cells: `[3 × verified, 5 × missing]`. */
export function cellRuns(cells: readonly CellState[]): { state: CellState; from: number; count: number }[] {
  const runs: { state: CellState; from: number; count: number }[] = [];
  for (const [i, state] of cells.entries()) {
    const last = runs.at(-1);
    if (last?.state === state) last.count++;
    else runs.push({ state, from: i, count: 1 });
  }
  return runs;
}
