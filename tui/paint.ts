// Returns escape sequences that change the terminal from one canvas to the next. Pure.
import { type Canvas, CONTINUED } from './canvas.ts';
import { BOLD, backgroundOf, DIM, flagsOf, foregroundOf, INVERSE, type Style, UNDERLINE } from './theme.ts';

/** Up to this many equal cells are rewritten, which is shorter than moving the cursor. */
const GAP_CELLS = 5;

/** Draws all cells if `before` is null. */
export function paint(before: Canvas | null, after: Canvas): string {
  const { width, height } = after;
  const known = before !== null && before.width === width && before.height === height ? before : null;
  let out = '';
  let style: Style = -1;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let x = 0;
    let at = -1; // column of the terminal's cursor; -1: unknown
    while (x < width) {
      if (known !== null && same(known, after, row + x)) {
        x++;
        continue;
      }
      // both halves of a wide character are written together
      if (after.texts[row + x] === CONTINUED && x > 0) x--;
      if (at < 0 || x < at || x - at > GAP_CELLS) {
        out += `\x1b[${y + 1};${x + 1}H`;
        at = x;
      }
      while (at <= x) {
        const text = after.texts[row + at] ?? ' ';
        const wanted = after.styles[row + at] ?? 0;
        if (wanted !== style) {
          out += sgr(wanted);
          style = wanted;
        }
        out += text;
        at++;
        if (after.texts[row + at] === CONTINUED && at < width) at++;
        // terminals differ in the width of other characters: move the cursor
        if (text > '~' && !isDrawing(text)) {
          if (at < width) out += `\x1b[${at + 1}G`;
        }
      }
      x = at;
    }
  }
  return style === -1 ? '' : `${out}\x1b[m`;
}

function same(before: Canvas, after: Canvas, i: number): boolean {
  return before.texts[i] === after.texts[i] && before.styles[i] === after.styles[i];
}

/** True for lines, blocks and braille, which are one cell wide. */
function isDrawing(text: string): boolean {
  const code = text.charCodeAt(0);
  return text.length === 1 && ((code >= 0x2500 && code <= 0x259f) || (code >= 0x2800 && code <= 0x28ff));
}

export function sgr(style: Style): string {
  const flags = flagsOf(style);
  let codes = '0';
  if (flags & BOLD) codes += ';1';
  if (flags & DIM) codes += ';2';
  if (flags & UNDERLINE) codes += ';4';
  if (flags & INVERSE) codes += ';7';
  return `\x1b[${codes}${colour(foregroundOf(style), 30)}${colour(backgroundOf(style), 40)}m`;
}

function colour(index: number | null, base: 30 | 40): string {
  if (index === null) return '';
  if (index < 8) return `;${base + index}`;
  return index < 16 ? `;${base + 60 + index - 8}` : `;${base + 8};5;${index}`;
}
