// Bye payloads: the code and reason with which the sender closes a link. A Bye is the last descriptor on it and has no answer.
import { ProtocolError } from '../errors.ts';
import { decodeText } from './text.ts';

export const ByeCode = {
  Shutdown: 200,
  UserRemoval: 201,
  NodePreferred: 202,
  ModeChange: 203,
  TooLarge: 400,
  Duplicates: 401,
  HighTtl: 403,
  ActivityTimeout: 405,
  NoAliveReply: 406,
  TtlZero: 408,
  TooManyErrors: 409,
  /** gtk-gnutella's code in the handshake; here for two links to the same peer that opened at the same time. */
  AlreadyConnected: 409,
  Excessive: 410,
  QrpSequence: 413,
  LeafRelaying: 414,
  SendQueueFull: 502,
  NoSlot: 503,
  RoleChangedInHandshake: 504,
} as const;

/** Code given to a Bye that starts with text instead of a code, as in gtk-gnutella. */
export const BYE_CODE_MISSING = 901;

/** gtk-gnutella closes the link on a longer one. */
export const BYE_BYTES_MAX = 4096;
const HEADERS_MAX = 32;

export interface Bye {
  readonly code: number;
  readonly text: string;
  /** Mostly `Server` and `X-Try-Ultrapeers`; name and value as written. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Throws WIRE_TRUNCATED, WIRE_TOO_LONG. */
export function parseBye(payload: Buffer): Bye {
  if (payload.length > BYE_BYTES_MAX) throw new ProtocolError('WIRE_TOO_LONG', `a Bye of ${payload.length} bytes`);
  if (payload.length < 2) throw new ProtocolError('WIRE_TRUNCATED', 'a Bye without a code');
  const codeMissing = isLetter(payload.readUInt8(0)) && isLetter(payload.readUInt8(1));
  const start = codeMissing ? 0 : 2;
  const nul = payload.indexOf(0, start);
  const lines = decodeText(payload, start, nul < 0 ? payload.length : nul).split('\n');
  const headers: [string, string][] = [];
  for (const line of lines.slice(1, 1 + HEADERS_MAX)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return { code: codeMissing ? BYE_CODE_MISSING : payload.readUInt16LE(0), text: (lines[0] ?? '').trim(), headers };
}

/** Encodes the text, the headers and a final NUL. Throws RangeError for a line end or NUL in them, or over BYE_BYTES_MAX. */
export function encodeBye(bye: Bye): Buffer {
  const lines = [bye.text, ...bye.headers.map(([name, value]) => `${name}: ${value}`)];
  if (lines.some(line => /[\r\n\0]/.test(line))) throw new RangeError('a line end or NUL in a Bye');
  const tail = bye.headers.length === 0 ? '\0' : '\r\n\r\n\0';
  const text = Buffer.from(lines.join('\r\n') + tail);
  if (text.length + 2 > BYE_BYTES_MAX) throw new RangeError(`a Bye of ${text.length + 2} bytes`);
  const payload = Buffer.allocUnsafe(2 + text.length);
  payload.writeUInt16LE(bye.code, 0);
  text.copy(payload, 2);
  return payload;
}

function isLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}
