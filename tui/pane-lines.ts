// Wraps the lines of a pane and computes its size and scroll range. Pure.
import type { Pane, PaneLine } from './pane.ts';
import { wrap } from './width.ts';

const COLUMNS_MAX = 100;
/** Width of both edges with a space beside each. */
const EDGE_CELLS = 4;
const MARK_CELLS = 2;
const LINES_MAX = 8;

/** Wraps lines; the mark stays on the first part. */
function paneLines({ lines }: Pane, width: number): PaneLine[] {
  return lines.flatMap(line => {
    const indent = /^ */.exec(line.text)?.[0] ?? '';
    const room = Math.max(8, width - MARK_CELLS - indent.length);
    const parts = line.text.trim() === '' ? [''] : wrap(line.text.trim(), room, LINES_MAX);
    return parts.map((text, i) => ({ ...line, text: indent + text, mark: i === 0 ? line.mark : null }));
  });
}

export function paneRoom(
  { columns, rows }: { columns: number; rows: number },
  pane: Pane,
): { width: number; height: number; last: number; lines: PaneLine[] } {
  const width = Math.min(COLUMNS_MAX, columns - 2) - EDGE_CELLS;
  const lines = paneLines(pane, width);
  const height = Math.max(1, Math.min(lines.length, rows - 6));
  return { width, height, last: Math.max(0, lines.length - height), lines };
}
