// Recognises the protocol of an incoming connection by its first bytes. Pure.
import { METHODS } from 'node:http';

/** Longest first line except for HTTP, whose server has its own limits. As gtk-gnutella's MAX_LINE_SIZE and LimeWire's line limit. */
export const FIRST_LINE_BYTES_MAX = 1024;

export const Greeting = {
  /** More bytes are needed. */
  Unfinished: 0,
  Overlay: 1,
  Http: 2,
  /** Answer to our push: a file follows. */
  Giv: 3,
  /** Call back of a remote upload queue: our place has come. */
  Queue: 4,
  /** Connect-back test: accepting the connection is the answer. */
  Probe: 5,
  Tls: 6,
  Garbage: 7,
  TooLong: 8,
  /** A relay is asked for something. */
  Relay: 9,
} as const;
export type Greeting = (typeof Greeting)[keyof typeof Greeting];

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TLS_HANDSHAKE = 0x16;
const CONNECT_BACK = Buffer.from('CONNECT BACK', 'latin1');

const methods = new Set(METHODS);
const wordBytesMax = Math.max(...METHODS.map(method => method.length));

/** Recognises HTTP by its method, the others by their whole first line. */
export function greetingOf(head: Buffer): Greeting {
  const first = head[0];
  if (first === undefined) return Greeting.Unfinished;
  if (first === TLS_HANDSHAKE) return Greeting.Tls;
  if (first === LF || first === CR) return Greeting.Probe;
  const space = head.indexOf(SPACE);
  const wordBytes = space < 0 ? head.length : space;
  if (wordBytes > wordBytesMax || !isWord(head, wordBytes)) return Greeting.Garbage;
  if (space < 0) return Greeting.Unfinished;

  const word = head.latin1Slice(0, space);
  if (word === 'GNUTELLA') return wholeLine(head, Greeting.Overlay);
  if (word === 'GIV') return wholeLine(head, Greeting.Giv);
  if (word === 'RELAY') return wholeLine(head, Greeting.Relay);
  if (word === 'QUEUE') return wholeLine(head, Greeting.Queue);
  if (word === 'CONNECT') {
    if (head.subarray(0, CONNECT_BACK.length).equals(CONNECT_BACK)) return Greeting.Probe;
    if (head.length < CONNECT_BACK.length) return Greeting.Unfinished;
  }
  return methods.has(word) ? Greeting.Http : Greeting.Garbage;
}

/** Method names consist of capital letters and '-'. */
function isWord(head: Buffer, end: number): boolean {
  for (let at = 0; at < end; at++) {
    const byte = head.readUInt8(at);
    if ((byte < 0x41 || byte > 0x5a) && byte !== 0x2d) return false;
  }
  return end > 0;
}

function wholeLine(head: Buffer, greeting: Greeting): Greeting {
  const end = head.indexOf(LF);
  if (end >= FIRST_LINE_BYTES_MAX || (end < 0 && head.length >= FIRST_LINE_BYTES_MAX)) return Greeting.TooLong;
  return end < 0 ? Greeting.Unfinished : greeting;
}
