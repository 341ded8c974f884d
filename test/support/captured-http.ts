// Captured HTTP exchanges: what real servents ask and answer.
import { type HeaderBlock, HeaderReader } from '../../protocol/handshake/header-block.ts';
import { HTTP_LIMITS, parseResponseHead, type ResponseHead } from '../../protocol/transfer/http-head.ts';
import { readFixture } from './fixtures.ts';

export interface CapturedReply {
  /** What the request was about. */
  label: string;
  request: string;
  head: ResponseHead;
  headText: string;
  body: Buffer;
}

interface GtkgFixture {
  events: { from: 'peer' | 'servent'; hex: string; note?: string }[];
}

interface LimewireFixture {
  exchanges: { label: string; request: string; response_head: string; body_start_hex: string }[];
}

/** Replies of gtk-gnutella, with their whole bodies. */
export function gtkgReplies(name: string): CapturedReply[] {
  const replies: CapturedReply[] = [];
  let label = '';
  let request = '';
  for (const { from, hex, note } of readFixture<GtkgFixture>(`gtk-gnutella/${name}.json`).events) {
    const bytes = Buffer.from(hex, 'hex');
    if (from === 'servent') replies.push({ label, request, ...split(bytes) });
    else {
      label = note ?? '';
      request = bytes.toString('latin1');
    }
  }
  return replies;
}

/** Replies of LimeWire, with what was kept of their bodies (up to 600 bytes). */
export function limewireReplies(): CapturedReply[] {
  return readFixture<LimewireFixture>('limewire/http.json').exchanges.map(exchange => ({
    label: exchange.label,
    request: exchange.request,
    ...split(
      Buffer.concat([Buffer.from(exchange.response_head, 'latin1'), Buffer.from(exchange.body_start_hex, 'hex')]),
    ),
  }));
}

/** LimeWire with one upload slot: granted, queued, polled too early, a client without queueing. */
export function limewireQueueHeads(): ResponseHead[] {
  const { exchanges } = readFixture<{ exchanges: { response: string }[] }>('limewire/http_queue.json');
  return exchanges.map(({ response }) => split(Buffer.from(response, 'latin1')).head);
}

/** What LimeWire asks for when it downloads one file from one source. */
export function limewireDownloadRequest(): { request: string; urn: string; size: number } {
  const { urn, requests } = readFixture<{ urn: string; requests: string[] }>('limewire/http_download_by_limewire.json');
  const [request = ''] = requests;
  const [, last = ''] = /^Range: bytes=0-(\d+)\r$/m.exec(request) ?? [];
  return { request, urn, size: Number(last) + 1 };
}

/** The first head of a text; what follows is left out. */
export function blockOf(text: string): HeaderBlock {
  const reader = new HeaderReader(HTTP_LIMITS);
  if (reader.push(Buffer.from(text, 'latin1')) !== 'done') throw new Error('half a head');
  return reader.block;
}

export function split(bytes: Buffer): { head: ResponseHead; headText: string; body: Buffer } {
  const reader = new HeaderReader(HTTP_LIMITS);
  // some fixtures keep the head without its last empty line
  const whole = bytes.includes('\r\n\r\n') ? bytes : Buffer.concat([bytes, Buffer.from('\r\n\r\n')]);
  if (reader.push(whole) !== 'done') throw new Error('half a head in a fixture');
  const headBytes = whole.length - reader.rest.length;
  return {
    head: parseResponseHead(reader.block),
    headText: whole.toString('latin1', 0, headBytes),
    body: whole.subarray(headBytes),
  };
}
