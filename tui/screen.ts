// Connects to the terminal through blessed: reads keys and mouse, writes frames, restores the terminal. Only this file imports blessed.
import { Buffer } from 'node:buffer';
import blessed from 'blessed';
import type { Canvas } from './canvas.ts';
import { paint } from './paint.ts';

interface KeyPress {
  readonly full?: string;
  readonly name?: string;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
  readonly shift?: boolean;
  readonly code?: string;
}

interface MousePress {
  readonly action: 'mousedown' | 'mouseup' | 'mousemove' | 'wheeldown' | 'wheelup';
  readonly button?: string;
  readonly x: number;
  readonly y: number;
}

/** The part of blessed's program that is used; its own types swap input and output. */
interface Program {
  alternateBuffer(): void;
  normalBuffer(): void;
  hideCursor(): void;
  showCursor(): void;
  enableMouse(): void;
  disableMouse(): void;
  flush(): void;
  destroy(): void;
  sigtstp(resumed: () => void): void;
  setTitle(title: string): void;
  put: { keypad_xmit?: () => void; keypad_local?: () => void };
  on(event: 'keypress', listener: (text: string | undefined, key: KeyPress) => void): void;
  on(event: 'mouse', listener: (press: MousePress) => void): void;
  on(event: 'resize', listener: () => void): void;
  on(event: 'data', listener: (chunk: Uint8Array | string) => void): void;
}

export interface TerminalInput extends NodeJS.ReadableStream {
  isTTY?: boolean;
  setRawMode?: (on: boolean) => unknown;
}
export interface TerminalOutput extends NodeJS.WritableStream {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  writableNeedDrain?: boolean;
}

export interface ScreenEvents {
  readonly key: (key: string, text?: string) => void;
  readonly paste: (text: string) => void;
  /** Zero-based. */
  readonly click: (x: number, y: number) => void;
  readonly wheel: (x: number, y: number, by: 1 | -1) => void;
  readonly resize: () => void;
}

export interface ScreenOptions {
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly term: string;
  readonly mouse: boolean;
  readonly events: ScreenEvents;
}

const PASTE_MAX = 65_536;
// biome-ignore lint/suspicious/noControlCharactersInRegex: Escape is one
const ESCAPE_AND_SIGN = /^\u001b[!-/:-@\\\]^_`{-~]/;
const PASTE_ON = '\x1b[?2004h';
const PASTE_OFF = '\x1b[?2004l';

/** Replaces terminal types that blessed cannot parse with xterm, with which they are compatible. */
function terminalName(term: string): string {
  return /^(linux|rxvt|xterm)/.test(term) ? term : 'xterm-256color';
}

export class Screen {
  readonly #program: Program;
  readonly #output: TerminalOutput;
  readonly #events: ScreenEvents;
  #shown: Canvas | null = null;
  #mouse = false;
  #paste: string | null = null;
  #stopped = false;

  constructor({ input, output, term, mouse, events }: ScreenOptions) {
    this.#output = output;
    this.#events = events;
    const options = { input, output, terminal: terminalName(term), tput: true, buffer: true, zero: true };
    this.#program = blessed.program(options as unknown as Parameters<typeof blessed.program>[0]) as unknown as Program;
    this.#listen(input);
    this.#enter();
    this.setMouse(mouse);
  }

  get columns(): number {
    return this.#output.columns ?? 80;
  }

  get rows(): number {
    return this.#output.rows ?? 24;
  }

  /** False until the terminal has accepted the last frame. */
  get ready(): boolean {
    return !this.#stopped && this.#output.writableNeedDrain !== true;
  }

  show(canvas: Canvas): void {
    if (this.#stopped) return;
    const bytes = paint(this.#shown, canvas);
    this.#shown = canvas;
    if (bytes !== '') this.#write(bytes);
  }

  /** Makes the next frame a full redraw. */
  forget(): void {
    this.#shown = null;
  }

  setMouse(on: boolean): void {
    if (on === this.#mouse || this.#stopped) return;
    this.#mouse = on;
    if (on) this.#program.enableMouse();
    else this.#program.disableMouse();
    this.#program.flush();
  }

  /** Copies through the terminal (OSC 52), which also works over SSH. */
  copy(text: string): void {
    this.#write(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`);
  }

  setTitle(title: string): void {
    this.#program.setTitle(title.replace(/[^ -~]/g, '?'));
  }

  /** Restores the terminal. Idempotent. */
  stop(): void {
    if (this.#stopped) return;
    this.#leave();
    this.#stopped = true;
    this.#program.destroy();
  }

  #enter(): void {
    this.#program.alternateBuffer();
    this.#program.put.keypad_xmit?.();
    this.#program.hideCursor();
    this.#program.flush();
    this.#write(`${PASTE_ON}\x1b[2J`);
  }

  #leave(): void {
    this.setMouse(false);
    // some terminals show part of the last frame after a resize
    this.#write(`\x1b[m\x1b[2J${PASTE_OFF}`);
    this.#program.put.keypad_local?.();
    this.#program.showCursor();
    this.#program.normalBuffer();
    this.#program.flush();
  }

  #write(bytes: string): void {
    this.#program.flush();
    this.#output.write(bytes);
  }

  #listen(input: TerminalInput): void {
    this.#program.on('keypress', (text, key) => this.#pressed(text, key));
    // blessed drops Escape and a punctuation key that arrive together
    this.#program.on('data', chunk => {
      const text = chunk.toString();
      if (this.#paste !== null || !ESCAPE_AND_SIGN.test(text)) return;
      this.#events.key('escape');
      this.#pressed(text.charAt(1), { full: text.charAt(1) });
    });
    // blessed does not know the bracketed-paste keys
    input.on('keypress', (_text: string | undefined, key: KeyPress | undefined) => {
      if (key?.code === '[200~') this.#paste = '';
      else if (key?.code === '[201~' && this.#paste !== null) {
        const pasted = this.#paste;
        this.#paste = null;
        this.#events.paste(pasted);
      }
    });
    this.#program.on('mouse', press => {
      if (press.action === 'wheeldown') this.#events.wheel(press.x, press.y, 1);
      else if (press.action === 'wheelup') this.#events.wheel(press.x, press.y, -1);
      else if (press.action === 'mousedown' && press.button === 'left') this.#events.click(press.x, press.y);
    });
    this.#program.on('resize', () => {
      this.forget();
      this.#events.resize();
    });
  }

  #pressed(text: string | undefined, key: KeyPress): void {
    const full = key.full ?? '';
    if (this.#paste !== null) {
      if (full !== 'return' && this.#paste.length < PASTE_MAX) this.#paste += full === 'enter' ? '\n' : (text ?? '');
      return;
    }
    // blessed reports the key twice: as "enter", then as "return"
    if (full === 'return') return;
    // Alt is not used: this is Escape together with the next key
    if (key.meta === true && key.name !== undefined) {
      this.#events.key('escape');
      if (/^.$/.test(key.name)) this.#events.key(key.shift === true ? key.name.toUpperCase() : key.name);
      return;
    }
    const typed = text !== undefined && key.ctrl !== true && key.meta !== true && text >= ' ' && text !== '\x7f';
    if (full === 'C-z') this.#suspend();
    else if (full === 'enter' || full === 'linefeed' || full === 'C-j') this.#events.key('enter');
    else if (text === ' ') this.#events.key('space', ' ');
    else if (typed) this.#events.key(text, text);
    else this.#events.key(full);
  }

  #suspend(): void {
    const mouse = this.#mouse;
    this.#leave();
    this.#program.sigtstp(() => {
      this.#enter();
      this.setMouse(mouse);
      this.forget();
      this.#events.resize();
    });
  }
}
