// Draws a figure in characters, for a terminal.
import type { Series } from '../model.ts';
import { tickText } from './axis.ts';
import { type Figure, pointsOf } from './figure.ts';

/** One mark a series, told apart without colour; of those at one place the first is seen. */
const MARKS = ['●', '○', '▲', '△', '■', '□', '◆', '◇'];

/** `columns` wide at most; `rows` of the plot itself, without axis and legend. */
export function textOf(figure: Figure, columns = 72, rows = 14): string {
  const { title, labels, series, x, y } = figure;
  const yTicks = new Map(y.ticks.map(tick => [rowOf(y.place(tick), rows), tickText(tick)] as const));
  const margin = Math.max(...[...yTicks.values()].map(text => text.length)) + 1;
  const width = Math.max(16, columns - margin - 1);
  const cells = Array.from({ length: rows }, () => new Array<string>(width).fill(' '));
  for (const [i, one] of [...series.entries()].reverse())
    draw(cells, figure, one, MARKS[i % MARKS.length] ?? '*', width);
  const body = cells.map((row, i) => {
    const tick = yTicks.get(i);
    return `${(tick ?? '').padStart(margin - 1)} ${tick === undefined ? '│' : '┤'}${row.join('').trimEnd()}`;
  });
  const axis = new Array<string>(width).fill('─');
  const names = new Array<string>(width + 8).fill(' ');
  for (const tick of x.ticks) {
    const at = columnOf(x.place(tick), width);
    axis[at] = '┴';
    const text = tickText(tick);
    const start = Math.max(0, Math.min(at - (text.length >> 1), width - text.length));
    const free = names.slice(Math.max(0, start - 1), start + text.length + 1).every(cell => cell === ' ');
    if (free) for (const [i, letter] of [...text].entries()) names[start + i] = letter;
  }
  const legend =
    series.length > 1 ? series.map(({ name }, i) => `${' '.repeat(margin + 1)}${MARKS[i % MARKS.length]} ${name}`) : [];
  return [
    `${title}: ${labels[1]} over ${labels[0]}`,
    ...body,
    `${' '.repeat(margin)}└${axis.join('')}`,
    `${' '.repeat(margin + 1)}${names.join('').trimEnd()}`,
    ...legend,
  ].join('\n');
}

const rowOf = (share: number, rows: number): number => Math.round((1 - share) * (rows - 1));
const columnOf = (share: number, width: number): number => Math.round(share * (width - 1));

/** The points, and the line between two of them where the x axis has room. */
function draw(cells: string[][], figure: Figure, series: Series, mark: string, width: number): void {
  const rows = cells.length;
  const points = pointsOf(figure, series);
  for (const [i, { x, y }] of points.entries()) {
    const next = points[i + 1];
    const from = columnOf(x, width);
    const to = next === undefined ? from : columnOf(next.x, width);
    for (let column = from; next !== undefined && column < to; column++) {
      const share = to === from ? 0 : (column - from) / (to - from);
      put(cells, rowOf(y + share * (next.y - y), rows), column, '·');
    }
  }
  for (const { x, y } of points) put(cells, rowOf(y, rows), columnOf(x, width), mark);
}

function put(cells: string[][], row: number, column: number, mark: string): void {
  const line = cells[row];
  if (line !== undefined && column >= 0 && column < line.length) line[column] = mark;
}
