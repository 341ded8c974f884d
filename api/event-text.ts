// Server-sent events out of text that comes in pieces (WHATWG HTML, 9.2.6). Pure; for every client, the browser's too.

export interface ServerEvent {
  /** Of this event or, when it has none of its own, of the last one that had. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
}

/** Of one line, and of one event: the daemon's are a few kilobytes. */
export const EVENT_CHARACTERS_MAX = 1 << 20;

/** The stream is not one of a servent: nothing after it can be trusted. */
export class EventTextError extends Error {
  override readonly name = 'EventTextError';
}

export class EventTextReader {
  /** What to send as `Last-Event-ID`; of complete events only. */
  lastId: string;
  /** What the server asks to wait before coming back. */
  retryMs: number | null = null;
  /** The line that has begun. */
  #rest = '';
  #skipLineFeed = false;
  #id: string;
  #type = '';
  #data: string[] = [];
  #characters = 0;

  /** `lastId`: where an earlier reader ended. */
  constructor(lastId = '') {
    this.lastId = lastId;
    this.#id = lastId;
  }

  /** The events that are complete with this. Throws EventTextError when one never ends. */
  read(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    // A line feed right after a carriage return belongs to it, in whichever piece it comes.
    let from = this.#skipLineFeed && text.startsWith('\n') ? 1 : 0;
    if (text !== '') this.#skipLineFeed = false;
    const ends = /\r\n|\n|\r/g;
    ends.lastIndex = from;
    for (let end = ends.exec(text); end !== null; end = ends.exec(text)) {
      const line = this.#rest + text.slice(from, end.index);
      this.#rest = '';
      from = ends.lastIndex;
      this.#skipLineFeed = end[0] === '\r' && from === text.length;
      const event = this.#line(line);
      if (event !== null) events.push(event);
    }
    this.#rest += text.slice(from);
    if (this.#rest.length + this.#characters > EVENT_CHARACTERS_MAX)
      throw new EventTextError(`an event has more than ${EVENT_CHARACTERS_MAX} characters`);
    return events;
  }

  #line(line: string): ServerEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'data') {
      this.#data.push(value);
      this.#characters += value.length + 1;
    } else if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch(): ServerEvent | null {
    this.lastId = this.#id;
    const type = this.#type === '' ? 'message' : this.#type;
    const data = this.#data.join('\n');
    const isEmpty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    this.#characters = 0;
    return isEmpty ? null : { id: this.lastId, type, data };
  }
}
