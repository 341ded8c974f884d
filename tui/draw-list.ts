// Draws a list in a frame: header, visible rows, cursor, marks, and the details of one row.
import type { Rect } from './canvas.ts';
import { formatExact } from './format.ts';
import { bar } from './graph.ts';
import type { ListState, Model } from './model.ts';
import { type Stage, splitRows } from './stage.ts';
import { cursorIn, type Detail, type ListSpec, ordered, type Placed, placeColumns, scrollTop } from './table.ts';
import { over, type Style } from './theme.ts';
import { fit, fitEnd, textWidth, wrap } from './width.ts';

export interface ListOptions {
  /** True if the list has the focus; default true. */
  readonly on?: boolean;
  /** Text at the right of the frame, before the number of rows. */
  readonly note?: string;
  readonly title?: string;
}

/** Lines of the screen from which details are shown by default. */
const DETAILS_ROWS_MIN = 32;
/** On a low screen; on a high one half of it. */
const DETAILS_LINES_MAX = 12;
const MARK_CELLS = 2;

export function drawList<T>(stage: Stage, spec: ListSpec<T>, rect: Rect, options: ListOptions = {}): void {
  const { canvas, theme, model, world, zones } = stage;
  const state = model.lists[spec.id];
  const on = options.on ?? true;
  const { rows, total, fault } = ordered(spec, state, spec.rows(world, model), model.now);
  const cursor = cursorIn(spec, state, rows);
  const notes = [
    options.note ?? '',
    state.marks.size > 0 ? `${state.marks.size} marked` : '',
    state.filter === '' ? '' : fault === null ? `/${state.filter}` : `/${state.filter}: ${fault}`,
    world.partial.has(spec.id) ? `the first ${formatExact(total)}, / searches all` : '',
    world.partial.has(spec.id)
      ? ''
      : rows.length === total
        ? formatExact(total)
        : `${formatExact(rows.length)} of ${formatExact(total)}`,
  ];
  const inner = canvas.frame(rect, theme, options.title ?? spec.title, {
    on,
    note: notes.filter(note => note !== '').join(` ${theme.lines.dot} `),
  });
  if (inner.height < 1 || inner.width < 4) return;
  const { columns } = state;
  const shown = columns === null ? spec.columns : spec.columns.filter(({ id }) => columns.includes(id));
  const placed = placeColumns(shown, inner.width - MARK_CELLS - 1);
  drawHeader(stage, spec, state, inner, placed);
  const height = inner.height - 1;
  zones.push({ rect, message: null, list: spec.id });
  if (rows.length === 0) {
    const text = state.filter === '' ? spec.empty : 'no rows match the filter: Escape clears it';
    const lines = wrap(text, inner.width - 4, Math.max(0, height - 1));
    for (const [i, line] of lines.entries())
      canvas.put(
        inner.x + Math.max(0, Math.floor((inner.width - textWidth(line)) / 2)),
        inner.y + 2 + i,
        line,
        theme.dim,
      );
    return;
  }
  if (height < 1) return;
  const top = scrollTop(stage.memory.tops.get(spec.id) ?? 0, cursor, height, rows.length);
  stage.memory.tops.set(spec.id, top);
  for (let i = 0; i < height && top + i < rows.length; i++) {
    const row = rows[top + i] as T;
    const line = { x: inner.x, y: inner.y + 1 + i, width: inner.width, height: 1 };
    const under = top + i !== cursor ? 0 : on ? theme.cursor : theme.cursorOff;
    const key = spec.keyOf(row);
    drawRow(stage, placed, row, line, under, state.marks.has(key));
    zones.push({ rect: line, message: { type: 'pick', list: spec.id, key, mark: false }, list: spec.id });
  }
  drawScrollbar(stage, rect, top, height, rows.length);
}

function drawHeader<T>(stage: Stage, spec: ListSpec<T>, state: ListState, inner: Rect, placed: Placed<T>[]): void {
  const { canvas, theme, zones } = stage;
  for (const { column, x, width } of placed) {
    const sorted = state.sort?.column === column.id;
    const arrow = sorted ? (state.sort?.descending === true ? theme.lines.downward : theme.lines.up) : '';
    const at = inner.x + MARK_CELLS + x;
    const room = textWidth(column.title) + arrow.length;
    // the arrow may use the gap beside the title
    const start = column.right === true ? at + width - textWidth(column.title) - arrow.length : at;
    canvas.put(start, inner.y, column.right === true ? arrow + column.title : column.title + arrow, theme.header, room);
    zones.push({
      rect: { x: at, y: inner.y, width: Math.max(width, room), height: 1 },
      message: { type: 'sort', list: spec.id, column: column.id },
      list: spec.id,
    });
  }
}

function drawRow<T>(
  { canvas, theme, model }: Stage,
  placed: readonly Placed<T>[],
  row: T,
  line: Rect,
  under: Style,
  marked: boolean,
): void {
  if (under !== 0) canvas.fill(line, under);
  if (marked) canvas.put(line.x, line.y, theme.lines.mark, over(theme.mark, under));
  for (const { column, x, width } of placed) {
    const text = column.of(row, model.now);
    const meaning = column.meaning?.(row, model.now) ?? 'text';
    const style =
      under !== 0 && theme.depth !== 0 && (meaning === 'text' || meaning === 'dim')
        ? under
        : over(theme[meaning], under);
    const at = line.x + MARK_CELLS + x;
    const share = column.share?.(row);
    if (share !== undefined && share !== null) drawShare(canvas, theme, at, line.y, width, share, text, style, under);
    else if (column.end === true) canvas.put(at, line.y, fitEnd(text, width, theme.lines.ellipsis), style, width);
    else canvas.put(at, line.y, fit(text, width, column.right, theme.lines.ellipsis), style, width);
  }
}

/** Draws a bar and its number: `██████····  57 %`. */
function drawShare(
  canvas: Stage['canvas'],
  theme: Stage['theme'],
  x: number,
  y: number,
  width: number,
  share: number,
  text: string,
  style: Style,
  under: Style,
): void {
  const number = 5;
  const room = width - number - 1;
  if (room > 2) {
    const filled = bar(share, room, theme.charset);
    canvas.put(x, y, filled, style, room);
    const rest = filled.trimEnd().length;
    if (theme.charset === 'unicode' && rest < room)
      canvas.put(x + rest, y, theme.lines.track.repeat(room - rest), over(theme.border, under), room - rest);
  }
  canvas.put(x + Math.max(0, width - number), y, fit(text, Math.min(number, width), true), style);
}

function drawScrollbar({ canvas, theme }: Stage, rect: Rect, top: number, height: number, count: number): void {
  if (count <= height || height < 3) return;
  const size = Math.max(1, Math.round((height * height) / count));
  const at = Math.round((top / (count - height)) * (height - size));
  const thumb = theme.charset === 'ascii' ? '#' : '┃';
  for (let i = 0; i < size; i++) canvas.put(rect.x + rect.width - 1, rect.y + 2 + at + i, thumb, theme.borderOn);
}

export const detailsShown = ({ details, rows }: Pick<Model, 'details' | 'rows'>): boolean =>
  details ?? rows >= DETAILS_ROWS_MIN;

/** Draws the list, and below it the details of the current row if they are on or the screen is tall. */
export function drawListWithDetails<T>(stage: Stage, spec: ListSpec<T>, rect: Rect, options: ListOptions = {}): void {
  const { model, world } = stage;
  const shown = detailsShown(model);
  const { rows } = ordered(spec, model.lists[spec.id], spec.rows(world, model), model.now);
  const row = rows[cursorIn(spec, model.lists[spec.id], rows)];
  if (!shown || spec.details === undefined || row === undefined || rect.height < 10) {
    drawList(stage, spec, rect, options);
    return;
  }
  const details = spec.details(row, model.now, world);
  const width = rect.width - 4;
  const wanted = detailLines(details, width).length + 2;
  const most = Math.max(DETAILS_LINES_MAX, Math.floor(rect.height / 2));
  const height = Math.min(wanted, most + 2, Math.floor(rect.height * 0.6));
  const [upper, lower] = splitRows(rect, rect.height - height);
  drawList(stage, spec, upper, options);
  const inner = stage.canvas.frame(lower, stage.theme, spec.nameOf(row), { note: 'Enter hides' });
  drawDetails(stage, details, { ...inner, x: inner.x + 1, width: inner.width - 2 });
}

interface Line {
  readonly label: string;
  readonly value: Detail[1];
  readonly meaning: Detail[2];
}

/** Lays out labels and values in two columns; long values wrap. */
function detailLines(details: readonly Detail[], width: number): Line[] {
  const room = labelWidth(details);
  return details.flatMap(([label, value, meaning]): Line[] =>
    typeof value === 'function'
      ? [{ label, value, meaning }]
      : wrap(value === '' ? '-' : value, Math.max(8, width - room - 2), 3).map((text, i) => ({
          label: i === 0 ? label : '',
          value: text,
          meaning,
        })),
  );
}

const labelWidth = (details: readonly Detail[]): number => Math.max(...details.map(([label]) => textWidth(label)), 0);

export function drawDetails({ canvas, theme }: Stage, details: readonly Detail[], rect: Rect): void {
  const room = labelWidth(details);
  const lines = detailLines(details, rect.width);
  for (const [i, { label, value, meaning }] of lines.slice(0, rect.height).entries()) {
    canvas.put(rect.x, rect.y + i, label, theme.dim, room);
    const [x, width] = [rect.x + room + 2, rect.width - room - 2];
    if (typeof value === 'string') canvas.label(x, rect.y + i, value, theme[meaning ?? 'text'], width);
    else {
      let at = x;
      for (const [text, of] of value(width, theme.charset))
        at += canvas.put(at, rect.y + i, text, theme[of], x + width - at);
    }
  }
}
