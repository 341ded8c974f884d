// A grid of cells. Text put on it loses control characters and is clipped to its rectangle.
import type { Style, Theme } from './theme.ts';
import { clip, glyphs, textWidth } from './width.ts';

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The right half of a wide character. */
export const CONTINUED = '';

export class Canvas {
  readonly width: number;
  readonly height: number;
  /** Cells row by row: a character with its combining marks, or CONTINUED. */
  readonly texts: string[];
  readonly styles: Int32Array;
  readonly #ascii: boolean;

  constructor(width: number, height: number, ascii = false) {
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    this.texts = new Array<string>(this.width * this.height).fill(' ');
    this.styles = new Int32Array(this.width * this.height);
    this.#ascii = ascii;
  }

  get all(): Rect {
    return { x: 0, y: 0, width: this.width, height: this.height };
  }

  /** Writes at most `width` cells and returns the number written. */
  put(x: number, y: number, text: string, style: Style, width = this.width - x): number {
    if (y < 0 || y >= this.height || x >= this.width || x < 0) return 0;
    const end = Math.min(this.width, x + width);
    let at = x;
    for (const glyph of glyphs(text)) {
      if (at + glyph.width > end) break;
      this.#set(at, y, this.#ascii && glyph.text > '~' ? '?' : glyph.text, style);
      if (glyph.width === 2) {
        if (this.#ascii) this.#set(at + 1, y, ' ', style);
        else {
          this.#unjoin(at + 1, y);
          const i = y * this.width + at + 1;
          this.texts[i] = CONTINUED;
          this.styles[i] = style;
        }
      }
      at += glyph.width;
    }
    return at - x;
  }

  /** Writes like `put`; text that does not fit ends in an ellipsis, between words if possible. */
  label(x: number, y: number, text: string, style: Style, width: number): number {
    return this.put(x, y, clip(text, width, this.#ascii ? '~' : '…'), style, width);
  }

  /** Writes text that ends at the column before `x + width`. */
  labelRight(x: number, y: number, text: string, style: Style, width: number): void {
    const cut = clip(text, width, this.#ascii ? '~' : '…');
    this.put(x + Math.max(0, width - textWidth(cut)), y, cut, style);
  }

  fill({ x, y, width, height }: Rect, style: Style, text = ' '): void {
    const line = text.repeat(Math.max(0, width));
    for (let row = y; row < y + height; row++) this.put(x, row, line, style, width);
  }

  /** Changes the style of cells, not their text. */
  restyle({ x, y, width, height }: Rect, change: (style: Style) => Style): void {
    for (let row = Math.max(0, y); row < Math.min(this.height, y + height); row++)
      for (let column = Math.max(0, x); column < Math.min(this.width, x + width); column++) {
        const i = row * this.width + column;
        this.styles[i] = change(this.styles[i] ?? 0);
      }
  }

  /** Draws a frame with title and note on its upper edge; returns the rectangle inside. */
  frame(rect: Rect, theme: Theme, title: string, options: { on?: boolean; note?: string } = {}): Rect {
    const { x, y, width, height } = rect;
    if (width < 2 || height < 2) return { x, y, width: 0, height: 0 };
    const { across, down, corners } = theme.lines;
    const style = options.on === true ? theme.borderOn : theme.border;
    this.put(x, y, corners[0] + across.repeat(width - 2) + corners[1], style);
    this.put(x, y + height - 1, corners[2] + across.repeat(width - 2) + corners[3], style);
    for (let row = y + 1; row < y + height - 1; row++) {
      this.put(x, row, down, style);
      this.put(x + width - 1, row, down, style);
    }
    const titled = title === '' ? 0 : this.label(x + 2, y, ` ${title} `, theme.title, Math.max(0, width - 4));
    const note = options.note ?? '';
    const room = width - 5 - titled;
    if (note !== '' && room >= textWidth(note) + 2) this.labelRight(x + 2 + titled, y, ` ${note} `, theme.dim, room);
    return { x: x + 1, y: y + 1, width: width - 2, height: height - 2 };
  }

  /** The screen as plain text, without trailing spaces. */
  toText(): string {
    const lines: string[] = [];
    for (let y = 0; y < this.height; y++)
      lines.push(
        this.texts
          .slice(y * this.width, (y + 1) * this.width)
          .join('')
          .trimEnd(),
      );
    return lines.join('\n');
  }

  #set(x: number, y: number, text: string, style: Style): void {
    this.#unjoin(x, y);
    const i = y * this.width + x;
    this.texts[i] = text;
    this.styles[i] = style;
  }

  /** Replaces the other half of a wide character that is partly overwritten with a space. */
  #unjoin(x: number, y: number): void {
    const i = y * this.width + x;
    if (this.texts[i] === CONTINUED && x > 0) this.texts[i - 1] = ' ';
    if (x + 1 < this.width && this.texts[i + 1] === CONTINUED) this.texts[i + 1] = ' ';
  }
}
