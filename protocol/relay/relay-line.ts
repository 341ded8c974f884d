// The lines of a relay, which passes bytes between two servents of which neither can connect to the other. An extension of ours.
import { ProtocolError } from '../errors.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { packEndpoint, unpackIpv4 } from '../wire/endpoint.ts';
import type { GgepItem } from '../wire/ggep.ts';
import { base32OrNull, formatBase32 } from '../wire/urn.ts';

/** GGEP key of hits (the relays of a firewalled servent), of queries (the asker can use one) and of pushes (a RelayCall). */
export const RELAY_GGEP = 'SRLY';
/** Of X-Features in handshakes: this ultrapeer relays for its leaves. */
export const RELAY_FEATURE = 'servent-relay/1';
export const RELAYS_MAX = 4;
const SHA1_BYTES = 20;
const IPV4_ENDPOINT_BYTES = 6;

/** What a relay is asked for: bytes between two servents, for one file. */
export interface RelayAsk {
  /** Servent GUIDs: who downloads, and who has the file. */
  readonly asker: Buffer;
  readonly server: Buffer;
  readonly sha1: Buffer;
}

/** What the relay tells the one that has the file, which says the same when it comes. */
export interface RelayCall {
  readonly token: string;
  /** Of the file that was asked for; the token covers it. */
  readonly sha1: Buffer;
}

export type RelayLine =
  | { readonly kind: 'ask'; readonly ask: RelayAsk }
  /** The one that has the file comes, told by the relay. */
  | { readonly kind: 'call'; readonly call: RelayCall };

const ASK = /^RELAY ASK ([0-9a-f]{32}) ([0-9a-f]{32}) ([A-Z2-7]{32})\r?\n\r?\n$/i;
const CALL = /^RELAY ([A-Za-z0-9_-]{20,160}) ([A-Z2-7]{32})\r?\n\r?\n$/i;
const TOKEN = /^[A-Za-z0-9_-]{20,160}$/;
/** A line and the empty line after it. */
export const RELAY_LINE_BYTES_MAX = 256;

/** Throws HTTP_MALFORMED. */
export function parseRelayLine(text: string): RelayLine {
  const [, asker, server, wanted] = ASK.exec(text) ?? [];
  if (asker !== undefined && server !== undefined && wanted !== undefined) {
    const ask = { asker: Buffer.from(asker, 'hex'), server: Buffer.from(server, 'hex'), sha1: sha1Of(wanted) };
    return { kind: 'ask', ask };
  }
  const [, token, given] = CALL.exec(text) ?? [];
  if (token === undefined || given === undefined) throw new ProtocolError('HTTP_MALFORMED', 'not a RELAY line');
  return { kind: 'call', call: { token, sha1: sha1Of(given) } };
}

function sha1Of(text: string): Buffer {
  const digest = base32OrNull(text);
  if (digest === null || digest.length !== SHA1_BYTES) throw new ProtocolError('HTTP_MALFORMED', 'no SHA-1');
  return digest;
}

export function encodeRelayAsk({ asker, server, sha1 }: RelayAsk): Buffer {
  const line = `RELAY ASK ${asker.toString('hex')} ${server.toString('hex')} ${formatBase32(sha1)}\n\n`;
  return Buffer.from(line, 'latin1');
}

export function encodeRelayCall({ token, sha1 }: RelayCall): Buffer {
  return Buffer.from(`RELAY ${token} ${formatBase32(sha1)}\n\n`, 'latin1');
}

/** Our relays, for hits. */
export function relayItem(relays: readonly Endpoint[]): GgepItem {
  const packed = relays.slice(0, RELAYS_MAX).map(packEndpoint);
  return { id: RELAY_GGEP, payload: Buffer.concat(packed.filter(({ length }) => length === IPV4_ENDPOINT_BYTES)) };
}

/** The relays that a hit names. */
export function relaysIn(ggep: readonly GgepItem[]): Endpoint[] {
  const payload = ggep.find(({ id }) => id === RELAY_GGEP)?.payload ?? Buffer.alloc(0);
  const relays: Endpoint[] = [];
  for (let at = 0; at + IPV4_ENDPOINT_BYTES <= payload.length && relays.length < RELAYS_MAX; at += IPV4_ENDPOINT_BYTES)
    relays.push({ host: unpackIpv4(payload, at), port: payload.readUInt16LE(at + 4) });
  return relays.filter(({ port }) => port > 0);
}

/** Of the push that asks a servent to come to a relay: the SHA-1, then the token. */
export function relayCallItem({ token, sha1 }: RelayCall): GgepItem {
  return { id: RELAY_GGEP, payload: Buffer.concat([sha1, Buffer.from(token, 'latin1')]) };
}

/** What such a push says; 'malformed': nothing that can be read; null: it is an ordinary push. */
export function relayCallIn(ggep: readonly GgepItem[]): RelayCall | 'malformed' | null {
  const payload = ggep.find(({ id }) => id === RELAY_GGEP)?.payload;
  if (payload === undefined) return null;
  const token = payload.toString('latin1', SHA1_BYTES);
  return TOKEN.test(token) ? { token, sha1: Buffer.from(payload.subarray(0, SHA1_BYTES)) } : 'malformed';
}
