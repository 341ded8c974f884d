// Maps meanings to colours, for 256, 16 or no colours, and to characters for frames.
import type { Charset } from './graph.ts';

/** Flags, foreground and background in one number; 0 is the default of the terminal. */
export type Style = number;

export const BOLD = 1 << 20;
export const UNDERLINE = 1 << 21;
export const INVERSE = 1 << 22;
export const DIM = 1 << 23;
const FLAGS = BOLD | UNDERLINE | INVERSE | DIM;

/** Packs palette indexes; null: the default of the terminal. */
export function styleOf(fg: number | null, bg: number | null = null, flags = 0): Style {
  return flags | ((fg ?? -1) + 1) | (((bg ?? -1) + 1) << 10);
}
export const foregroundOf = (style: Style): number | null => ((style & 0x3ff) === 0 ? null : (style & 0x3ff) - 1);
export const backgroundOf = (style: Style): number | null =>
  ((style >> 10) & 0x3ff) === 0 ? null : ((style >> 10) & 0x3ff) - 1;
export const flagsOf = (style: Style): number => style & FLAGS;

/** Combines background and flags of a row with the foreground of a cell. */
export function over(style: Style, under: Style): Style {
  const bg = (style >> 10) & 0x3ff;
  return (style & (0x3ff | FLAGS)) | (under & FLAGS) | (bg === 0 ? under & (0x3ff << 10) : bg << 10);
}

export type Depth = 0 | 16 | 256;

const MEANINGS = {
  // name: [256 colours, 16 colours, flags everywhere, flags without colours]
  text: [null, null, 0, 0],
  dim: [245, 8, 0, DIM],
  strong: [null, null, BOLD, 0],
  border: [239, 8, 0, DIM],
  borderOn: [74, 6, 0, 0],
  title: [117, 14, BOLD, 0],
  header: [110, 6, BOLD, 0],
  good: [114, 2, 0, 0],
  warn: [221, 3, 0, 0],
  bad: [203, 9, 0, BOLD],
  info: [81, 6, 0, 0],
  in: [78, 2, 0, 0],
  out: [177, 5, 0, 0],
  mark: [221, 11, BOLD, BOLD],
  key: [221, 11, 0, BOLD],
  number: [153, 7, 0, 0],
} as const satisfies Record<string, readonly [number | null, number | null, number, number]>;

export type Meaning = keyof typeof MEANINGS;

export interface Lines {
  readonly across: string;
  readonly down: string;
  /** Top left, top right, bottom left, bottom right. */
  readonly corners: readonly [string, string, string, string];
  readonly ellipsis: string;
  readonly mark: string;
  readonly up: string;
  readonly downward: string;
  readonly dot: string;
  readonly right: string;
  readonly bullet: string;
  /** Empty part of a bar. */
  readonly track: string;
}

const UNICODE_LINES: Lines = {
  across: '─',
  down: '│',
  corners: ['╭', '╮', '╰', '╯'],
  ellipsis: '…',
  mark: '●',
  up: '▲',
  downward: '▼',
  dot: '·',
  right: '›',
  bullet: '●',
  track: '·',
};

const ASCII_LINES: Lines = {
  across: '-',
  down: '|',
  corners: ['+', '+', '+', '+'],
  ellipsis: '~',
  mark: '*',
  up: '^',
  downward: 'v',
  dot: '.',
  right: '>',
  bullet: '*',
  track: '-',
};

export type Theme = { readonly [M in Meaning]: Style } & {
  readonly depth: Depth;
  readonly charset: Charset;
  readonly lines: Lines;
  /** Backgrounds of cursor row, top bar, open tab and banner. */
  readonly cursor: Style;
  readonly cursorOff: Style;
  readonly bar: Style;
  readonly tabOn: Style;
  readonly banner: Style;
  readonly input: Style;
};

export function createTheme(depth: Depth, charset: Charset): Theme {
  const meanings = Object.fromEntries(
    Object.entries(MEANINGS).map(([name, [rich, poor, flags, without]]) => [
      name,
      depth === 0 ? flags | without : styleOf(depth === 256 ? rich : poor, null, flags),
    ]),
  ) as { [M in Meaning]: Style };
  const rich = depth === 256;
  const plain = depth === 0;
  return {
    ...meanings,
    depth,
    charset,
    lines: charset === 'ascii' ? ASCII_LINES : UNICODE_LINES,
    cursor: plain ? INVERSE : styleOf(rich ? 255 : 15, rich ? 24 : 4, BOLD),
    cursorOff: plain ? UNDERLINE : styleOf(null, rich ? 236 : 8, 0),
    bar: plain ? INVERSE : styleOf(rich ? 252 : 15, rich ? 236 : 4, 0),
    tabOn: plain ? INVERSE | BOLD : styleOf(rich ? 16 : 0, rich ? 117 : 6, BOLD),
    banner: plain ? INVERSE | BOLD : styleOf(rich ? 231 : 15, rich ? 160 : 1, BOLD),
    input: plain ? UNDERLINE : styleOf(rich ? 231 : 15, rich ? 237 : 0, 0),
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Number of colours from the environment; NO_COLOR (https://no-color.org) takes precedence. */
export function depthOf(env: Environment): Depth {
  if ((env['NO_COLOR'] ?? '') !== '') return 0;
  const term = env['TERM'] ?? '';
  if (/^(dumb|vt\d+|ansi-m)/.test(term)) return 0;
  if (/256|direct|kitty|alacritty|ghostty|foot|wezterm/.test(term) || (env['COLORTERM'] ?? '') !== '') return 256;
  return 16;
}

export function charsetOf(env: Environment): Charset {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return /utf-?8/i.test(locale) && env['TERM'] !== 'linux' ? 'unicode' : 'ascii';
}
