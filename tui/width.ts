// Measures text in terminal cells and replaces unsafe characters. Pure.
import { printable } from '../api/format.ts';

/** Two-cell characters: East Asian wide and full-width, emoji. Pairs of first and last code point. */
const WIDE = [
  0x1100, 0x115f, 0x231a, 0x231b, 0x23e9, 0x23ec, 0x25fd, 0x25fe, 0x2614, 0x2615, 0x2648, 0x2653, 0x26aa, 0x26ab,
  0x26bd, 0x26be, 0x26c4, 0x26c5, 0x2705, 0x2705, 0x270a, 0x270b, 0x2728, 0x2728, 0x274c, 0x274c, 0x2753, 0x2755,
  0x2795, 0x2797, 0x2b1b, 0x2b1c, 0x2b50, 0x2b50, 0x2e80, 0x303e, 0x3041, 0x4dbf, 0x4e00, 0xa4cf, 0xa960, 0xa97f,
  0xac00, 0xd7a3, 0xf900, 0xfaff, 0xfe10, 0xfe19, 0xfe30, 0xfe6f, 0xff01, 0xff60, 0xffe0, 0xffe6, 0x1f18e, 0x1f18e,
  0x1f191, 0x1f19a, 0x1f200, 0x1f265, 0x1f300, 0x1f320, 0x1f32d, 0x1f335, 0x1f337, 0x1f37c, 0x1f37e, 0x1f393, 0x1f3a0,
  0x1f3ca, 0x1f3cf, 0x1f3d3, 0x1f3e0, 0x1f3f0, 0x1f3f8, 0x1f43e, 0x1f440, 0x1f440, 0x1f442, 0x1f4fc, 0x1f4ff, 0x1f53d,
  0x1f550, 0x1f567, 0x1f5fb, 0x1f64f, 0x1f680, 0x1f6c5, 0x1f6eb, 0x1f6ec, 0x1f6f4, 0x1f6fc, 0x1f7e0, 0x1f7eb, 0x1f90c,
  0x1f9ff, 0x1fa70, 0x1faff, 0x20000, 0x2fffd, 0x30000, 0x3fffd,
];

export const REPLACEMENT = '\ufffd';
const MARK = /^[\p{Mn}\p{Me}]$/u;
const INVISIBLE = /^\p{Cf}$/u;
const UNCERTAIN = /^[\p{Co}\p{Cn}\p{Cs}]$/u;
/** Most combining marks per character; more would cover other lines. */
const MARKS_MAX = 2;
const CACHE_MAX = 4096;
/** Cache of widths by code point: 0 joins the previous cell, -1 is dropped, -2 is replaced. */
const known = new Map<number, number>();

function measure(code: number, char: string): number {
  if (code >= 0x1160 && code <= 0x11ff) return -2; // Hangul jamo: terminals differ in their width
  if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0x1f3fb && code <= 0x1f3ff)) return -1;
  if (printable(char) !== char || UNCERTAIN.test(char)) return -2;
  if (INVISIBLE.test(char)) return -1;
  if (MARK.test(char)) return 0;
  for (let i = 0; i < WIDE.length; i += 2) {
    if (code < (WIDE[i] ?? 0)) return 1;
    if (code <= (WIDE[i + 1] ?? 0)) return 2;
  }
  return 1;
}

function widthOf(code: number, char: string): number {
  if (code < 0x7f && code >= 0x20) return 1;
  let width = known.get(code);
  if (width === undefined) {
    if (known.size >= CACHE_MAX) known.clear();
    width = measure(code, char);
    known.set(code, width);
  }
  return width;
}

/** The text of one or two cells. */
export interface Glyph {
  text: string;
  width: 1 | 2;
}

const PLAIN = /^[ -~]*$/;

/** Splits text into cells, without characters that move the cursor, change colours or the text direction. */
export function glyphs(text: string): Glyph[] {
  const out: Glyph[] = [];
  if (PLAIN.test(text)) {
    for (let i = 0; i < text.length; i++) out.push({ text: text.charAt(i), width: 1 });
    return out;
  }
  let marks = 0;
  for (const char of text.normalize('NFC')) {
    const code = char.codePointAt(0) ?? 0;
    // terminals differ in drawing flags: show the letters
    const flag = code >= 0x1f1e6 && code <= 0x1f1ff;
    const width = flag ? 1 : widthOf(code, char);
    if (width > 0) {
      marks = 0;
      out.push({ text: flag ? String.fromCharCode(65 + code - 0x1f1e6) : char, width: width === 2 ? 2 : 1 });
    } else if (width === -2) {
      marks = 0;
      out.push({ text: REPLACEMENT, width: 1 });
    } else if (width === 0 && marks < MARKS_MAX) {
      const before = out.at(-1);
      if (before !== undefined && before.text !== REPLACEMENT) before.text += char;
      marks++;
    }
  }
  return out;
}

/** Width of a text in cells. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const glyph of glyphs(text)) width += glyph.width;
  return width;
}

const BREAK = /[\s_.,;:/\\()[\]+-]/;

/**
 * Cuts to at most `width` cells. Cut text ends in an ellipsis, after a whole word if a blank is in the last third.
 */
export function clip(text: string, width: number, ellipsis = '…'): string {
  if (width <= 0) return '';
  if (text.length <= width && PLAIN.test(text)) return text;
  const all = glyphs(text);
  let used = 0;
  for (const glyph of all) used += glyph.width;
  if (used <= width) return all.map(glyph => glyph.text).join('');
  const room = width - 1;
  let taken = 0;
  let end = 0;
  for (; end < all.length; end++) {
    const next = all[end]?.width ?? 0;
    if (taken + next > room) break;
    taken += next;
  }
  for (let gap = end; gap > Math.max(0, Math.floor((end * 2) / 3)); gap--)
    if (BREAK.test(all[gap]?.text ?? '')) {
      end = gap;
      break;
    }
  const kept = all.slice(0, end).map(glyph => glyph.text);
  // no punctuation before the ellipsis
  while (kept.length > 1 && /^[\s,;:_-]$/.test(kept.at(-1) ?? '')) kept.pop();
  return kept.join('') + ellipsis;
}

/** Cuts or pads to exactly `width` cells. */
export function fit(text: string, width: number, right = false, ellipsis = '…'): string {
  if (width <= 0) return '';
  const cut = clip(text, width, ellipsis);
  const space = ' '.repeat(Math.max(0, width - textWidth(cut)));
  return right ? space + cut : cut + space;
}

/** Cuts or pads to exactly `width` cells, keeping the end. */
export function fitEnd(text: string, width: number, ellipsis = '…'): string {
  const all = glyphs(text);
  let cells = textWidth(text);
  if (cells <= width) return fit(text, width);
  let from = 0;
  while (from < all.length && cells + 1 > width) cells -= all[from++]?.width ?? 0;
  const end = all
    .slice(from)
    .map(glyph => glyph.text)
    .join('');
  return fit(ellipsis + end, width);
}

/** Wraps into at most `linesMax` lines of at most `width` cells, between words if possible; the last line is clipped. */
export function wrap(text: string, width: number, linesMax = 100): string[] {
  if (width <= 0) return [];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (textWidth(longer) <= width) line = longer;
    else {
      if (line !== '') lines.push(line);
      line = word;
    }
  }
  if (line !== '') lines.push(line);
  if (lines.length > linesMax) lines.splice(linesMax - 1, lines.length, lines.slice(linesMax - 1).join(' '));
  return lines.map(text => clip(text, width));
}
