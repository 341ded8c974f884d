// LIME/5 and 6: a crawler asks by UDP for an ultrapeer's neighbours. The pong repeats the ping's GUID.
import { gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { ProtocolError } from '../../errors.ts';
import { Cursor } from '../cursor.ts';
import { type Endpoint, packEndpoint, unpackIpv4 } from '../endpoint.ts';
import { demandBody, VendorId, type VendorMessage, vendorPayload } from '../vendor-message.ts';

export const CrawlFlag = {
  ConnectionTime: 0x01,
  Locale: 0x02,
  /** Only peers that understand LIME/5. */
  NewOnly: 0x04,
  UserAgents: 0x08,
  NodeUptime: 0x10,
  Replies: 0x20,
  DhtStatus: 0x40,
} as const;

/** Requested number that means all. */
export const CRAWL_ALL = 255;

export interface CrawlerPing {
  readonly ultrapeers: number;
  readonly leaves: number;
  /** CrawlFlag bits. */
  readonly flags: number;
}

/** Throws WIRE_TRUNCATED. */
export function parseCrawlerPing(message: VendorMessage): CrawlerPing {
  const body = demandBody(message, 3);
  return { ultrapeers: body.readUInt8(0), leaves: body.readUInt8(1), flags: body.readUInt8(2) };
}

/** LIME/5 version 1: LimeWire wants exactly these three bytes. */
export function encodeCrawlerPing(ping: CrawlerPing): Buffer {
  return vendorPayload(VendorId.CrawlerPing, 1, Buffer.of(ping.ultrapeers, ping.leaves, ping.flags));
}

export interface CrawledNeighbour {
  /** IPv4. */
  readonly endpoint: Endpoint;
  readonly connectedMinutes: number;
  /** Two letters. */
  readonly locale: string;
  readonly replies: number;
  /** '' when not asked for. */
  readonly userAgent: string;
}

export interface CrawlerPong {
  readonly ultrapeers: readonly CrawledNeighbour[];
  readonly leaves: readonly CrawledNeighbour[];
  /** CrawlFlag bits: which of the fields are present. */
  readonly flags: number;
  readonly uptimeSeconds: number;
  readonly dhtStatus: number;
  /** The answering servent's own. */
  readonly userAgent: string;
}

/** Inflated user agents: 511 of at most 128 characters. */
const AGENTS_BYTES_MAX = 65_536;
const NEIGHBOURS_MAX = 255;
/** 511 of them, every character escaped, fit a 16-bit length. */
const AGENT_CHARS_MAX = 63;

/** Throws WIRE_TRUNCATED, WIRE_MALFORMED (agents that do not inflate). */
export function parseCrawlerPong(message: VendorMessage): CrawlerPong {
  const cursor = new Cursor(message.body);
  const [ultrapeerCount, leafCount, flags] = [cursor.u8(), cursor.u8(), cursor.u8()];
  const uptimeSeconds = (flags & CrawlFlag.NodeUptime) === 0 ? 0 : cursor.u32();
  const dhtStatus = (flags & CrawlFlag.DhtStatus) === 0 ? 0 : cursor.u8();
  const neighbours: Omit<CrawledNeighbour, 'userAgent'>[] = [];
  for (let i = 0; i < ultrapeerCount + leafCount; i++) neighbours.push(readNeighbour(cursor, flags));
  const agents = (flags & CrawlFlag.UserAgents) === 0 || cursor.left === 0 ? [] : readAgents(cursor);
  const named = neighbours.map((neighbour, i) => ({ ...neighbour, userAgent: agents[i] ?? '' }));
  return {
    ultrapeers: named.slice(0, ultrapeerCount),
    leaves: named.slice(ultrapeerCount),
    flags,
    uptimeSeconds,
    dhtStatus,
    userAgent: agents[neighbours.length] ?? '',
  };
}

function readNeighbour(cursor: Cursor, flags: number): Omit<CrawledNeighbour, 'userAgent'> {
  const host = unpackIpv4(cursor.take(4), 0);
  return {
    endpoint: { host, port: cursor.u16() },
    connectedMinutes: (flags & CrawlFlag.ConnectionTime) === 0 ? 0 : cursor.u16(),
    locale: (flags & CrawlFlag.Locale) === 0 ? '' : cursor.take(2).toString('latin1'),
    replies: (flags & CrawlFlag.Replies) === 0 ? 0 : cursor.u32(),
  };
}

/** Reads agents as LimeWire 5.5 writes them: LE16, then gzip of LE16 and text; joined by ';', escaped by a backslash. */
function readAgents(cursor: Cursor): string[] {
  const text = textOf(inflateAgents(cursor.take(cursor.u16())));
  const agents = [''];
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === ';') agents.push('');
    else agents.push(`${agents.pop() ?? ''}${c === '\\' ? text.charAt(++i) : c}`);
  }
  return agents;
}

function inflateAgents(packed: Buffer): Buffer {
  try {
    const inflate = packed[0] === 0x1f ? gunzipSync : inflateSync;
    return inflate(packed, { maxOutputLength: AGENTS_BYTES_MAX });
  } catch (error) {
    // zlib's errors mean bad input
    if (error instanceof Error && 'code' in error) {
      throw new ProtocolError('WIRE_MALFORMED', 'user agents of a crawler pong');
    }
    throw error;
  }
}

/** Skips the redundant length before the text, if present. */
function textOf(agents: Buffer): string {
  const measured = agents.length >= 2 && agents.readUInt16LE(0) === agents.length - 2;
  return agents.toString('latin1', measured ? 2 : 0);
}

/** LIME/6 version 1 with the fields in `flags`, at most 255 neighbours of each kind. */
export function encodeCrawlerPong(pong: CrawlerPong): Buffer {
  const { flags } = pong;
  const ultrapeers = pong.ultrapeers.slice(0, NEIGHBOURS_MAX);
  const leaves = pong.leaves.slice(0, NEIGHBOURS_MAX);
  const parts: Buffer[] = [Buffer.of(ultrapeers.length, leaves.length, flags)];
  if ((flags & CrawlFlag.NodeUptime) !== 0) parts.push(u32(pong.uptimeSeconds));
  if ((flags & CrawlFlag.DhtStatus) !== 0) parts.push(Buffer.of(pong.dhtStatus));
  for (const neighbour of [...ultrapeers, ...leaves]) {
    parts.push(packEndpoint(neighbour.endpoint));
    if ((flags & CrawlFlag.ConnectionTime) !== 0) parts.push(u16(Math.min(neighbour.connectedMinutes, 0xffff)));
    if ((flags & CrawlFlag.Locale) !== 0) parts.push(Buffer.from(neighbour.locale.padEnd(2).slice(0, 2), 'latin1'));
    if ((flags & CrawlFlag.Replies) !== 0) parts.push(u32(neighbour.replies));
  }
  if ((flags & CrawlFlag.UserAgents) !== 0) {
    const agents = [...ultrapeers, ...leaves, pong].map(({ userAgent }) =>
      userAgent.slice(0, AGENT_CHARS_MAX).replace(/[\\;]/g, '\\$&'),
    );
    const text = Buffer.from(agents.join(';'), 'latin1');
    const packed = gzipSync(Buffer.concat([u16(text.length), text]));
    parts.push(u16(packed.length), packed);
  }
  return vendorPayload(VendorId.CrawlerPong, 1, Buffer.concat(parts));
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
