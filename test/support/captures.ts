// The captured conversations of test/fixtures as descriptors, whatever each capture script called its parts.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { HEADER_BYTES } from '../../protocol/constants.ts';
import { Frame, FrameReader, ReadResult } from '../../protocol/wire/frame-reader.ts';
import { projectRoot, readFixture } from './fixtures.ts';

export interface CapturedDescriptor {
  /** The servent under study, or the capture script that talked to it. */
  readonly from: 'servent' | 'peer';
  readonly over: 'tcp' | 'udp' | 'http';
  /** Header and payload. */
  readonly bytes: Buffer;
  /** What the capture script says about it, '' if nothing. */
  readonly note: string;
}

export interface Capture {
  /** Below test/fixtures. */
  readonly file: string;
  readonly servent: string;
  /** In the order of each direction, tcp before udp. */
  readonly descriptors: readonly CapturedDescriptor[];
}

/** Every fixture with captured bytes, `gtk-gnutella/udp.json` and so on; descriptors or not. */
export function captureFiles(): string[] {
  const files: string[] = [];
  for (const folder of ['gtk-gnutella', 'limewire', 'mldonkey', 'gnutella-bun']) {
    for (const name of readdirSync(join(projectRoot, 'test', 'fixtures', folder)).sort()) {
      if (name.endsWith('.json')) files.push(`${folder}/${name}`);
    }
  }
  return files;
}

type Json = Record<string, unknown>;

export function readCapture(file: string): Capture {
  const json = readFixture<Json>(file);
  const descriptors = file.startsWith('gtk-gnutella/') ? gtkgDescriptors(json) : labelledDescriptors(json);
  return { file, servent: file.slice(0, file.indexOf('/')), descriptors };
}

export function readCaptures(): Capture[] {
  return captureFiles().map(readCapture);
}

interface GtkgFixture {
  events?: { from: 'servent' | 'peer'; hex: string; note?: string }[];
  messages?: unknown;
  deflated?: { servent: boolean; peer: boolean };
  inflated?: { servent?: string; peer?: string };
  exchanges?: { note: string; sent: string; got: { hex: string }[] }[];
  udp?: { from: 'servent' | 'peer'; hex: string; note?: string }[];
}

function gtkgDescriptors(json: Json): CapturedDescriptor[] {
  const fixture = json as GtkgFixture;
  const events = fixture.events ?? [];
  const out: CapturedDescriptor[] = [];
  for (const from of ['servent', 'peer'] as const) {
    const sent = events.filter(event => event.from === from);
    const stream = Buffer.concat(sent.map(event => Buffer.from(event.hex, 'hex')));
    if (fixture.messages !== undefined) {
      // the dialling side sends two header blocks, the other one
      let at = 0;
      for (let blocks = events[0]?.from === from ? 2 : 1; blocks > 0; blocks--) at = stream.indexOf('\r\n\r\n', at) + 4;
      const inflated = fixture.inflated?.[from];
      const plain = fixture.deflated?.[from] === true ? Buffer.from(inflated ?? '', 'hex') : stream.subarray(at);
      for (const bytes of framesOf(plain)) {
        const note = sent.find(event => event.hex.startsWith(bytes.toString('hex')))?.note ?? '';
        out.push({ from, over: 'tcp', bytes, note });
      }
    } else if (from === 'servent') {
      for (const bytes of framesOf(browseBody(stream))) out.push({ from, over: 'http', bytes, note: '' });
    }
  }
  for (const { from, hex, note } of fixture.udp ?? []) pushDatagram(out, from, hex, note ?? '');
  for (const { note, sent, got } of fixture.exchanges ?? []) {
    pushDatagram(out, 'peer', sent, note);
    for (const { hex } of got) pushDatagram(out, 'servent', hex, note);
  }
  return out;
}

/** Whole frames from the start of `stream`, up to the first that is none. */
function framesOf(stream: Buffer): Buffer[] {
  const reader = new FrameReader(65_536);
  const frame = new Frame();
  const frames: Buffer[] = [];
  reader.push(stream);
  while (reader.next(frame) === ReadResult.Frame) frames.push(frame.copy());
  return frames;
}

function pushDatagram(out: CapturedDescriptor[], from: 'servent' | 'peer', hex: string, note: string): void {
  const bytes = Buffer.from(hex, 'hex');
  const whole = bytes.length >= HEADER_BYTES && bytes.readUInt32LE(19) === bytes.length - HEADER_BYTES;
  if (whole) out.push({ from, over: 'udp', bytes, note });
}

/** Descriptors in the body of a browse answer, chunked and deflated as its head says; nothing for other bodies. */
function browseBody(stream: Buffer): Buffer {
  const headEnd = stream.indexOf('\r\n\r\n') + 4;
  const head = stream.toString('latin1', 0, headEnd);
  if (!/^content-type: application\/x-gnutella-packets/im.test(head)) return Buffer.alloc(0);
  let body = stream.subarray(headEnd);
  if (/^transfer-encoding: chunked/im.test(head)) {
    const chunks: Buffer[] = [];
    for (let at = 0; ; ) {
      const line = body.indexOf('\r\n', at);
      const size = Number.parseInt(body.toString('latin1', at, line), 16);
      if (line < 0 || !(size > 0)) break;
      chunks.push(body.subarray(line + 2, line + 2 + size));
      at = line + 2 + size + 2;
    }
    body = Buffer.concat(chunks);
  }
  return /^content-encoding: deflate/im.test(head) ? inflateSync(body) : body;
}

/** LimeWire, MLDonkey, gnutella-bun: every `{dir, hex}` but the handshake, and browse bodies. */
function labelledDescriptors(json: Json): CapturedDescriptor[] {
  const out: CapturedDescriptor[] = [];
  const visit = (value: unknown, key: string): void => {
    if (Array.isArray(value)) for (const entry of value) visit(entry, key);
    if (typeof value !== 'object' || value === null || Array.isArray(value) || key === 'handshake') return;
    const { dir, hex, note, label, response_head: head, body_start_hex: body, hex_start: answer } = value as Json;
    if (typeof hex === 'string' && (dir === '<' || dir === '>')) {
      const from = dir === '<' ? 'servent' : 'peer';
      const text = String(note ?? label ?? '');
      if (key === 'datagrams') pushDatagram(out, from, hex, text);
      else for (const bytes of framesOf(Buffer.from(hex, 'hex'))) out.push({ from, over: 'tcp', bytes, note: text });
    } else if (typeof head === 'string' && head.includes('application/x-gnutella-packets')) {
      const bytes =
        typeof answer === 'string'
          ? browseBody(Buffer.from(answer, 'hex'))
          : Buffer.from(typeof body === 'string' ? body : '', 'hex');
      for (const frame of framesOf(bytes)) out.push({ from: 'servent', over: 'http', bytes: frame, note: 'browse' });
    } else for (const [name, child] of Object.entries(value)) visit(child, name);
  };
  visit(json, '');
  return out;
}
