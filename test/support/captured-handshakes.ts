// The captured conversations of test/fixtures as handshakes: who dialled, and each side's blocks and what followed them.
import { captureFiles } from './captures.ts';
import { readFixture } from './fixtures.ts';

export interface CapturedHandshake {
  /** `gtk-gnutella/handshake-up-to-up.json`, with the case after a '#' where a file has several. */
  readonly name: string;
  /** The servent under study, or the capture script. */
  readonly connector: 'servent' | 'script';
  /** Step 1. */
  readonly hello: Buffer;
  /** Step 2, empty when the acceptor closed without a word. */
  readonly answer: Buffer;
  /** Step 3, empty when there was none. */
  readonly acknowledgement: Buffer;
  /** What the connector sent after step 3, as it came. */
  readonly connectorRest: Buffer;
  /** What the acceptor sent after step 2, as it came. */
  readonly acceptorRest: Buffer;
}

type Json = Record<string, unknown>;
type Side = { readonly dialler: boolean; readonly hex: string };

/** Every 0.6 handshake of every servent. */
export function readCapturedHandshakes(): CapturedHandshake[] {
  const found: CapturedHandshake[] = [];
  for (const file of captureFiles()) {
    const json = readFixture<Json>(file);
    if (file.startsWith('gtk-gnutella/')) fromEvents(found, file, json);
    else fromCases(found, file, json);
  }
  return found;
}

function fromEvents(found: CapturedHandshake[], name: string, json: Json): void {
  const events = (json['events'] ?? []) as { from: 'servent' | 'peer'; hex: string }[];
  const first = events[0];
  if (first === undefined) return;
  const sides = events.map(event => ({ dialler: event.from === first.from, hex: event.hex }));
  add(found, name, first.from === 'servent' ? 'servent' : 'script', sides);
}

function fromCases(found: CapturedHandshake[], name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const { handshake, messages, sent, got_hex: got, rx_deflate: rx, tx_deflate: tx } = value as Json;
  if (Array.isArray(handshake)) {
    const blocks = handshake as { dir: string; hex: string }[];
    const dir = blocks[0]?.dir;
    const later = (Array.isArray(messages) ? messages : []) as { dir: string; hex: string }[];
    // those of a deflated direction were written down inflated: not what came
    const plain = later.filter(message => typeof message.hex === 'string' && !(message.dir === '<' ? rx : tx));
    const sides = [...blocks, ...plain].map(part => ({ dialler: part.dir === dir, hex: part.hex }));
    add(found, name, dir === '<' ? 'servent' : 'script', sides);
  } else if (typeof sent === 'string' && typeof got === 'string') {
    const hello = Buffer.from(sent, 'latin1').toString('hex');
    const sides = [
      { dialler: true, hex: hello },
      { dialler: false, hex: got },
    ];
    add(found, name, 'script', sides);
  }
  for (const [key, child] of Object.entries(value)) {
    if (key !== 'handshake' && key !== 'messages') fromCases(found, `${name}#${key}`, child);
  }
}

function add(found: CapturedHandshake[], name: string, connector: 'servent' | 'script', sides: readonly Side[]): void {
  const stream = (dialler: boolean) =>
    Buffer.concat(sides.filter(side => side.dialler === dialler).map(side => Buffer.from(side.hex, 'hex')));
  const [hello, afterHello] = cutBlock(stream(true));
  if (!hello.toString('latin1').startsWith('GNUTELLA CONNECT/0.6')) return;
  const [answer, acceptorRest] = cutBlock(stream(false));
  const [acknowledgement, connectorRest] = cutBlock(afterHello);
  found.push({ name, connector, hello, answer, acknowledgement, connectorRest, acceptorRest });
}

function cutBlock(stream: Buffer): [block: Buffer, rest: Buffer] {
  const end = stream.indexOf('\r\n\r\n') + 4;
  return end < 4 ? [Buffer.alloc(0), stream] : [stream.subarray(0, end), stream.subarray(end)];
}
