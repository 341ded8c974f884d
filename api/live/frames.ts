// Parses server-sent events from chunks of text. Pure. https://html.spec.whatwg.org/multipage/server-sent-events.html

export interface EventFrame {
  /** Null: it came without one; a client resumes at the latest id before it. */
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

/** Ten times a download with thousands of sources. */
const FRAME_CHARACTERS_MAX = 8 * 1024 * 1024;
const LINE_END = /\r\n|\n|\r/g;

export class EventFrames {
  /** Reconnection time of the stream; null until it is sent. */
  retryMs: number | null = null;
  /** Chunks of an incomplete line, joined once when it is complete: joining each chunk would be quadratic. */
  #pieces: string[] = [];
  #heldLength = 0;
  #id: string | null = null;
  #event = 'message';
  #data: string[] = [];
  #dataLength = 0;

  /** Adds text and returns the complete frames. Throws when one exceeds FRAME_CHARACTERS_MAX. */
  push(text: string): EventFrame[] {
    const frames: EventFrame[] = [];
    LINE_END.lastIndex = 0;
    if (this.#pieces.at(-1)?.endsWith('\r') !== true && !LINE_END.test(text)) return this.#hold(text, frames);
    const held = this.#pieces.join('') + text;
    let from = 0;
    LINE_END.lastIndex = Math.max(0, held.length - text.length - 1);
    for (let end = LINE_END.exec(held); end !== null; end = LINE_END.exec(held)) {
      // The LF of a CR LF may follow in the next chunk.
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
    if (this.#heldLength + this.#dataLength > FRAME_CHARACTERS_MAX)
      throw new Error(`an event is larger than ${FRAME_CHARACTERS_MAX} characters`);
    return frames;
  }

  #take(line: string, frames: EventFrame[]): void {
    if (line === '') {
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
