// Draws bars, sparklines and graphs from characters. Sizes are in cells. Pure.

export type Charset = 'unicode' | 'ascii';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const LEVELS = ' ▁▂▃▄▅▆▇█';
const LEVELS_ASCII = ' .:-=+*#';

/** Returns a bar of exactly `width` cells, filled to `share` (0 to 1); it is full only for share 1. */
export function bar(share: number, width: number, charset: Charset): string {
  if (width <= 0) return '';
  const part = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  if (charset === 'ascii') return '#'.repeat(Math.floor(part * width)).padEnd(width, '-');
  const eighths = Math.floor(part * width * 8);
  const text = '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
  return text.padEnd(width, ' ');
}

/** Draws the newest `width` values, one per cell, relative to `max`. */
export function sparkline(values: readonly number[], width: number, charset: Charset, max = peak(values)): string {
  if (width <= 0) return '';
  const levels = charset === 'ascii' ? LEVELS_ASCII : LEVELS;
  const shown = values.slice(-width);
  let text = '';
  for (const value of shown) text += levels.charAt(levelOf(value, max, levels.length - 1));
  return text.padStart(width, ' ');
}

/** The largest value, ignoring NaN; 0 for none. */
export function peak(values: readonly number[]): number {
  let max = 0;
  for (const value of values) if (value > max && Number.isFinite(value)) max = value;
  return max;
}

/** Level of a value: 0 for 0, at least 1 for larger values. */
function levelOf(value: number, max: number, levels: number): number {
  if (!(value > 0) || !(max > 0)) return 0;
  return Math.max(1, Math.min(levels, Math.round((value / max) * levels)));
}

/** Dots of a braille cell from the bottom up, by column. */
const LEFT = [0x40, 0x04, 0x02, 0x01];
const RIGHT = [0x80, 0x20, 0x10, 0x08];

export interface GraphOptions {
  readonly charset: Charset;
  /** Value at full height; default: the largest value. */
  readonly max?: number;
  /** Draws from the top down. */
  readonly hanging?: boolean;
}

/** Draws an area of `height` lines and `width` cells, newest value at the right; two values per cell with braille. */
export function graph(values: readonly number[], width: number, height: number, options: GraphOptions): string[] {
  if (width <= 0 || height <= 0) return [];
  const { charset, hanging = false, max = peak(values) } = options;
  const lines: string[] = [];
  const perCell = charset === 'ascii' ? 1 : 2;
  const dots = charset === 'ascii' ? 1 : 4;
  const shown = values.slice(-width * perCell);
  const missing = width * perCell - shown.length;
  const levels = new Array<number>(width * perCell).fill(0);
  for (let i = 0; i < shown.length; i++) levels[missing + i] = levelOf(shown[i] ?? 0, max, height * dots);
  for (let y = 0; y < height; y++) {
    // levels below this line, counted from the base of the area
    const base = (hanging ? y : height - 1 - y) * dots;
    let line = '';
    for (let x = 0; x < width; x++) {
      if (charset === 'ascii') line += (levels[x] ?? 0) > base ? '#' : ' ';
      else line += brailleCell((levels[2 * x] ?? 0) - base, (levels[2 * x + 1] ?? 0) - base, hanging);
    }
    lines.push(line);
  }
  return lines;
}

function brailleCell(left: number, right: number, hanging: boolean): string {
  let bits = 0;
  for (let dot = 0; dot < 4; dot++) {
    const at = hanging ? 3 - dot : dot;
    if (left > dot) bits |= LEFT[at] ?? 0;
    if (right > dot) bits |= RIGHT[at] ?? 0;
  }
  return bits === 0 ? ' ' : String.fromCharCode(0x2800 + bits);
}
