// Draws a frame: bar, tabs, banner, view, hints or prompt, and overlays. Pure except for the scroll positions in FrameMemory.
import { counted } from '../api/format.ts';
import { Canvas, type Rect } from './canvas.ts';
import { formatClock, formatCount, formatPerSecond, formatRate, formatSpan } from './format.ts';
import { helpLines, helpRoom } from './help.ts';
import { type ActionId, applies, bindings, keyName } from './keys.ts';
import { contextOf, isReadOnly, type Model, type Prompt } from './model.ts';
import type { Pane } from './pane.ts';
import { paneRoom } from './pane-lines.ts';
import type { FrameMemory, Stage, Zone } from './stage.ts';
import { INVERSE, over, type Theme } from './theme.ts';
import { listOf, type ViewRow, viewRow, views } from './views/all.ts';
import { clip, glyphs, textWidth, wrap } from './width.ts';

const COLUMNS_MIN = 40;
const ROWS_MIN = 10;

export interface Frame {
  readonly canvas: Canvas;
  readonly zones: readonly Zone[];
}

export const createMemory = (): FrameMemory => ({ tops: new Map() });

export function draw(model: Model, theme: Theme, memory: FrameMemory): Frame {
  const canvas = new Canvas(model.columns, model.rows, theme.charset === 'ascii');
  const zones: Zone[] = [];
  if (model.columns < COLUMNS_MIN || model.rows < ROWS_MIN) {
    const text = `too small: at least ${COLUMNS_MIN} by ${ROWS_MIN}`;
    for (const [i, line] of wrap(text, model.columns, model.rows).entries()) canvas.put(0, i, line, theme.warn);
    return { canvas, zones };
  }
  const stage: Stage = { canvas, theme, model, world: contextOf(model).world, memory, zones };
  drawBar(stage);
  drawTabs(stage);
  const banner = drawBanner(stage);
  const body: Rect = { x: 0, y: 2 + banner, width: model.columns, height: model.rows - 3 - banner };
  viewRow(model.view).view.draw(stage, body);
  drawBottom(stage);
  if (model.help !== null) drawHelp(stage, model.help);
  if (model.pane !== null) drawPane(stage, model.pane);
  if (model.question !== null) drawQuestion(stage);
  return { canvas, zones };
}

/** Draws daemon, role, peers and rates, the last known ones for a lost daemon; items that do not fit are dropped from the right. */
function drawBar({ canvas, theme, model, world }: Stage): void {
  const context = contextOf(model);
  const { status } = world;
  const { link } = context;
  canvas.fill({ x: 0, y: 0, width: model.columns, height: 1 }, theme.bar);
  const light = over(link.state === 'up' ? theme.good : link.state === 'lost' ? theme.bad : theme.warn, theme.bar);
  canvas.put(1, 0, theme.lines.bullet, light);
  const clock = formatClock(model.now);
  const name = context.name === '' ? 'servent' : context.name;
  const ascii = theme.charset === 'ascii';
  const lost = link.state === 'lost';
  const parts =
    status === null
      ? [name, lost ? 'no answer' : 'asking']
      : [
          name,
          ...(lost ? ['last known'] : []),
          status.mode,
          ...(isReadOnly(world.caller?.scopes ?? ['admin']) ? ['read-only'] : []),
          counted(status.peers.ultrapeers + status.peers.leaves, 'peer'),
          `${ascii ? 'v' : '↓'} ${formatRate(status.downloads.rate)} ${ascii ? '^' : '↑'} ${formatRate(status.uploads.rate)}`,
          `${formatPerSecond(world.queryRate)} queries/s`,
          `up ${formatSpan(status.uptime)}`,
          `${status.gnutella.host}:${status.gnutella.port}`,
        ];
  const gap = ` ${theme.lines.down} `;
  let x = 3;
  for (const [i, part] of parts.entries()) {
    const text = i === 0 ? part : gap + part;
    if (x + textWidth(text) > model.columns - clock.length - 3) break;
    x += canvas.put(
      x,
      0,
      text,
      i === 0 ? over(theme.strong, theme.bar) : lost ? over(theme.dim, theme.bar) : theme.bar,
    );
  }
  canvas.put(model.columns - clock.length - 1, 0, clock, theme.bar);
}

function drawTabs({ canvas, theme, model, world, zones }: Stage): void {
  const numbered = (view: ViewRow): string => {
    const count = view.count?.(world) ?? 0;
    return count === 0 ? view.title : `${view.title} ${formatCount(count)}`;
  };
  const labels = [
    numbered,
    (view: ViewRow) => view.title,
    (view: ViewRow) => view.short,
    (view: ViewRow) => (view.id === model.view ? view.title : ''),
  ];
  for (const label of labels)
    for (const gap of [2, 1]) {
      const texts = views.map(view => `${view.key} ${label(view)}`.trimEnd());
      const width = texts.reduce((sum, text) => sum + textWidth(text) + gap, 2 - gap);
      if (width > model.columns) continue;
      let x = 1;
      for (const [i, view] of views.entries()) {
        const text = texts[i] ?? '';
        const cells = textWidth(text);
        if (view.id === model.view) canvas.put(x - 1, 1, ` ${text} `, theme.tabOn);
        else {
          canvas.put(x, 1, text, theme.dim);
          canvas.put(x, 1, view.key, theme.key);
        }
        const rect = { x: x - 1, y: 1, width: cells + gap, height: 1 };
        zones.push({ rect, message: { type: 'view', view: view.id }, list: null });
        x += cells + gap;
      }
      return;
    }
}

/** Draws the banner of a lost daemon; returns its height, 0 or 1. */
function drawBanner({ canvas, theme, model }: Stage): number {
  const { link, url, world } = contextOf(model);
  if (link.state !== 'lost') return 0;
  const seconds = Math.max(0, Math.ceil((link.retryAt - model.now) / 1000));
  const since = world.statusAt === 0 ? '' : `; last data from ${formatClock(world.statusAt)}`;
  const again = seconds === 0 ? 'retrying' : `retry in ${seconds} s`;
  canvas.fill({ x: 0, y: 2, width: model.columns, height: 1 }, theme.banner);
  const choices = [
    `No daemon answers at ${url} (${link.reason}): ${again}${since}`,
    `No daemon answers at ${url}: ${again}${since}`,
    `No daemon answers at ${url}: ${again}`,
  ];
  const text = choices.find(choice => textWidth(choice) <= model.columns - 2) ?? `No answer: ${again}`;
  canvas.label(1, 2, text, theme.banner, model.columns - 2);
  return 1;
}

function drawBottom(stage: Stage): void {
  const { canvas, theme, model } = stage;
  const y = model.rows - 1;
  if (model.prompt !== null) drawPrompt(stage, model.prompt, y);
  else if (model.toast !== null) {
    const meaning = model.toast.mood === 'bad' ? 'bad' : model.toast.mood === 'good' ? 'good' : 'info';
    canvas.put(1, y, theme.lines.bullet, theme[meaning]);
    canvas.label(3, y, model.toast.text, theme[meaning], model.columns - 4);
  } else drawHints(stage, y);
}

/** Hints that are always shown, at the right edge. */
const PINNED: ReadonlySet<ActionId> = new Set(['help', 'quit']);
const HINT_GAP = 2;

/** Draws hints in the order of the key table, as many as fit. */
function drawHints({ canvas, theme, model }: Stage, y: number): void {
  const list = listOf(model)?.id ?? null;
  const hints = bindings.flatMap(({ action, keys: [first = ''], hint, where }) => {
    if (hint === undefined || !applies({ where }, model.view, list)) return [];
    const key = keyName(first);
    return [{ key, hint, width: textWidth(key) + 1 + textWidth(hint), pinned: PINNED.has(action) }];
  });
  const write = (x: number, key: string, hint: string): void => {
    canvas.put(x, y, key, theme.key);
    canvas.put(x + textWidth(key) + 1, y, hint, theme.dim);
  };
  let right = model.columns - 1;
  for (const { key, hint, width } of hints.filter(({ pinned }) => pinned).reverse()) {
    right -= width;
    write(right, key, hint);
    right -= HINT_GAP;
  }
  let x = 1;
  for (const { key, hint, width } of hints.filter(({ pinned }) => !pinned)) {
    if (x + width > right) break;
    write(x, key, hint);
    x += width + HINT_GAP;
  }
}

/** Most lines of a filter error, which lists all fields. */
const FAULT_LINES_MAX = 8;

const PROMPTS = { command: ':', filter: '/' } as const;

function drawPrompt({ canvas, theme, model }: Stage, prompt: Prompt, y: number): void {
  canvas.fill({ x: 0, y, width: model.columns, height: 1 }, theme.input);
  const sign = PROMPTS[prompt.kind];
  canvas.put(0, y, sign, over(theme.key, theme.input));
  // show the end of a long line
  const all = glyphs(prompt.text);
  const before = glyphs([...prompt.text].slice(0, prompt.caret).join('')).length;
  const room = model.columns - 3;
  let from = 0;
  let used = all.slice(0, before).reduce((sum, glyph) => sum + glyph.width, 0);
  while (used > room && from < before) used -= all[from++]?.width ?? 1;
  canvas.put(
    1,
    y,
    all
      .slice(from)
      .map(glyph => glyph.text)
      .join(''),
    theme.input,
    model.columns - 1,
  );
  canvas.restyle({ x: 1 + used, y, width: 1, height: 1 }, style => style ^ INVERSE);
  const offered = prompt.completion;
  const bad = prompt.fault ?? (model.toast?.mood === 'bad' ? model.toast.text : null);
  if (bad !== null) {
    const lines = wrap(bad, model.columns - 2, FAULT_LINES_MAX);
    const top = y - lines.length;
    canvas.fill({ x: 0, y: top, width: model.columns, height: lines.length }, theme.input);
    for (const [i, line] of lines.entries()) canvas.put(1, top + i, line, over(theme.bad, theme.input));
  } else if (offered !== null) {
    canvas.fill({ x: 0, y: y - 1, width: model.columns, height: 1 }, theme.input);
    let x = 1;
    const first = Math.max(0, Math.min(offered.index, offered.items.length - 1) - 3);
    for (const [i, item] of offered.items.slice(first).entries()) {
      const width = Math.min(textWidth(item), model.columns - 4);
      if (x + width > model.columns - 2) break;
      const style = first + i === offered.index ? theme.cursor : theme.input;
      x += canvas.label(x, y - 1, item, style, width) + 2;
    }
  }
}

/** Clears the area of an overlay and one column beside it. */
function clearUnder({ canvas }: Stage, { x, width, ...rows }: Rect): void {
  canvas.fill({ ...rows, x: x - 1, width: width + 2 }, 0);
}

function drawHelp(stage: Stage, top: number): void {
  const { canvas, theme, model } = stage;
  const room = helpRoom(model);
  const lines = helpLines(room.width);
  const [width, height] = [room.width + 4, room.height + 2];
  const rect = { x: Math.floor((model.columns - width) / 2), y: 2, width, height };
  clearUnder(stage, rect);
  const inner = canvas.frame(rect, theme, 'Help', {
    on: true,
    note: room.last > 0 ? 'Up and Down move, Esc closes' : 'Esc closes',
  });
  for (const [i, { kind, keys, text, indent }] of lines.slice(top, top + room.height).entries()) {
    const y = inner.y + i;
    if (kind === 'title') canvas.put(inner.x + 1, y, text, theme.title);
    else {
      canvas.put(inner.x + 2, y, keys, theme.key, indent - 1);
      canvas.put(inner.x + 1 + indent, y, text, theme.text, inner.width - indent - 2);
    }
  }
}

function drawPane(stage: Stage, pane: Pane): void {
  const { canvas, theme, model } = stage;
  const { width, height, last, lines } = paneRoom(model, pane);
  const rect = {
    x: Math.floor((model.columns - width - 4) / 2),
    y: Math.max(2, Math.floor((model.rows - height - 2) / 2)),
    width: width + 4,
    height: height + 2,
  };
  clearUnder(stage, rect);
  const note = last > 0 ? 'Up and Down move, Esc closes' : 'Esc closes';
  const inner = canvas.frame(rect, theme, clip(pane.title, width - note.length - 6, theme.lines.ellipsis), {
    on: true,
    note,
  });
  const signs = theme.charset === 'ascii' ? { good: '+', bad: '!' } : { good: '✓', bad: '✗' };
  for (const [i, { text, meaning, mark }] of lines.slice(pane.top, pane.top + height).entries()) {
    if (mark !== null) canvas.put(inner.x + 1, inner.y + i, signs[mark], theme[mark]);
    canvas.put(inner.x + 3, inner.y + i, text, theme[meaning], inner.width - 4);
  }
}

function drawQuestion(stage: Stage): void {
  const { canvas, theme, model } = stage;
  const { question } = model;
  if (question === null) return;
  const width = Math.min(model.columns - 4, 72);
  const lines = question.about.flatMap(text => wrap(text, width - 6, 3));
  const shown = lines.slice(0, Math.max(0, model.rows - 10));
  const height = shown.length + 6;
  const x = Math.floor((model.columns - width) / 2);
  const y = Math.max(2, Math.floor((model.rows - height) / 2));
  clearUnder(stage, { x, y, width, height });
  const inner = canvas.frame({ x, y, width, height }, theme, 'Sure?', { on: true });
  canvas.label(inner.x + 1, inner.y, question.text, theme.strong, inner.width - 2);
  for (const [i, line] of shown.entries()) canvas.put(inner.x + 3, inner.y + 1 + i, line, theme.text, inner.width - 4);
  let at = inner.x + 1;
  for (const [key, text] of [
    ['y', 'yes'],
    ['n', 'no'],
  ] as const) {
    at += canvas.put(at, inner.y + inner.height - 1, key, theme.key) + 1;
    at += canvas.put(at, inner.y + inner.height - 1, text, theme.dim) + 3;
  }
}
