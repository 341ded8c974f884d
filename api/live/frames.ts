// Server-sent events cut out of text that comes in any pieces. Pure. https://html.spec.whatwg.org/multipage/server-sent-events.html

export interface EventFrame {
  /** Null: it came without one; a client resumes at the latest id before it. */
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

/** A download with thousands of sources is a tenth of it. */
const FRAME_CHARACTERS_MAX = 8 * 1024 * 1024;
const LINE_END = /\r\n|\n|\r/g;

export class EventFrames {
  /** What a client waits before it comes back; null until the stream has said. */
  retryMs: number | null = null;
  /** Of a line that is not over; joined once it is, or a long one would be copied at each piece. */
  #pieces: string[] = [];
  #heldLength = 0;
  #id: string | null = null;
  #event = 'message';
  #data: string[] = [];
  #dataLength = 0;

  /** The frames that are whole by now. Throws when one never ends. */
  push(text: string): EventFrame[] {
    const frames: EventFrame[] = [];
    LINE_END.lastIndex = 0;
    if (this.#pieces.at(-1)?.endsWith('\r') !== true && !LINE_END.test(text)) return this.#hold(text, frames);
    const held = this.#pieces.join('') + text;
    let from = 0;
    LINE_END.lastIndex = Math.max(0, held.length - text.length - 1);
    for (let end = LINE_END.exec(held); end !== null; end = LINE_END.exec(held)) {
      // The other half of CR LF may be on its way.
      if (end[0] === '\r' && LINE_END.lastIndex === held.length) break;
      this.#take(held.slice(from, end.index), frames);
      from = LINE_END.lastIndex;
    }
    this.#pieces = [];
    this.#heldLength = 0;
    return this.#hold(held.slice(from), frames);
  }

  #hold(piece: string, frames: EventFrame[]): EventFrame[] {
    if (piece !== '') this.#pieces.push(piece);
    this.#heldLength += piece.length;
    if (this.#heldLength + this.#dataLength > FRAME_CHARACTERS_MAX) throw new Error('an event never ends');
    return frames;
  }

  #take(line: string, frames: EventFrame[]): void {
    if (line === '') {
      // Without data there is nothing to tell.
      if (this.#data.length > 0) frames.push({ id: this.#id, event: this.#event, data: this.#data.join('\n') });
      this.#id = null;
      this.#event = 'message';
      this.#data = [];
      this.#dataLength = 0;
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') {
      this.#data.push(value);
      this.#dataLength += value.length;
    } else if (field === 'event') this.#event = value === '' ? 'message' : value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
  }
}
