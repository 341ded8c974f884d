// As much of a terminal as the painter needs: moves, styles, letters of one and two cells.
import { Canvas } from '../../tui/canvas.ts';
import { glyphs } from '../../tui/width.ts';

export class FakeTerminal {
  readonly #canvas: Canvas;
  #x = 0;
  #y = 0;

  constructor(columns: number, rows: number) {
    this.#canvas = new Canvas(columns, rows);
  }

  write(bytes: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    for (const part of bytes.split(/(\u001b\[[\d;]*[A-Za-z])/)) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
      const sequence = /^\u001b\[([\d;]*)([A-Za-z])$/.exec(part);
      if (sequence === null) this.#print(part);
      else this.#control(sequence[1] ?? '', sequence[2] ?? '');
    }
  }

  toText(): string {
    return this.#canvas.toText();
  }

  #control(numbers: string, letter: string): void {
    const [first = 1, second = 1] = numbers.split(';').map(Number);
    if (letter === 'H') [this.#y, this.#x] = [first - 1, second - 1];
    else if (letter === 'G') this.#x = first - 1;
    else if (letter !== 'm') throw new Error(`a sequence that a terminal here does not know: ${letter}`);
  }

  #print(text: string): void {
    // One glyph after the other: a terminal does not look ahead.
    for (const glyph of glyphs(text)) {
      this.#canvas.put(this.#x, this.#y, glyph.text, 0);
      this.#x += glyph.width;
    }
  }
}
