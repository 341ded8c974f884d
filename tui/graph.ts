// Bars, sparklines and graphs out of characters, by width and height in cells. Pure.

/** What a terminal can show. */
export type Charset = 'unicode' | 'ascii';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const LEVELS = ' ▁▂▃▄▅▆▇█';
const LEVELS_ASCII = ' .:-=+*#';

/** A bar of exactly `width` cells, filled to `share` (0 to 1). A bar is only full when its share is. */
export function bar(share: number, width: number, charset: Charset): string {
  if (width <= 0) return '';
  const part = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  if (charset === 'ascii') return '#'.repeat(Math.floor(part * width)).padEnd(width, '-');
  const eighths = Math.floor(part * width * 8);
  const text = '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
  return text.padEnd(width, ' ');
}

/** The newest `width` values, one a cell, as high as their share of `max`. */
export function sparkline(values: readonly number[], width: number, charset: Charset, max = peak(values)): string {
  if (width <= 0) return '';
  const levels = charset === 'ascii' ? LEVELS_ASCII : LEVELS;
  const shown = values.slice(-width);
  let text = '';
  for (const value of shown) text += levels.charAt(levelOf(value, max, levels.length - 1));
  return text.padStart(width, ' ');
}

/** The greatest value that is a number; 0 without any. */
export function peak(values: readonly number[]): number {
  let max = 0;
  for (const value of values) if (value > max && Number.isFinite(value)) max = value;
  return max;
}

/** 0 for nothing, at least 1 for anything. */
function levelOf(value: number, max: number, levels: number): number {
  if (!(value > 0) || !(max > 0)) return 0;
  return Math.max(1, Math.min(levels, Math.round((value / max) * levels)));
}

/** Dots of a braille cell from the bottom up, left and right column. */
const LEFT = [0x40, 0x04, 0x02, 0x01];
const RIGHT = [0x80, 0x20, 0x10, 0x08];

export interface GraphOptions {
  readonly charset: Charset;
  /** The value that reaches the top; the greatest one by default. */
  readonly max?: number;
  /** Hangs from the top instead of standing on the bottom. */
  readonly hanging?: boolean;
}

/** An area of `height` lines of `width` cells, the newest value at the right; two values a cell where there is braille. */
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
    // Levels that this line begins above, counted from where the area stands or hangs.
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
