// The connection handshake as a state machine without sockets: 0.6 in three steps and 0.4, both directions.
// The shell closes a handshake that takes too long.
import { deflateSync } from 'node:zlib';
import { Type } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import { encodeBye } from '../wire/bye.ts';
import type { Endpoint } from '../wire/endpoint.ts';
import { markGuid } from '../wire/guid.ts';
import { encodeDescriptor } from '../wire/header.ts';
import type { Verdict } from './admission.ts';
import {
  type Capabilities,
  capabilitiesOf,
  type PeerRole,
  type ProtocolVersion,
  type Role,
  readableText,
} from './capabilities.ts';
import { encodeHeaderBlock, type HeaderBlock, HeaderReader, Headers } from './header-block.ts';
import {
  type AnswerChoices,
  acknowledgementHeaders,
  answerHeaders,
  crawlerHeaders,
  HELLO_BYTES_MAX,
  helloHeaders,
  type LocalHello,
  offerTls,
  refusalHeaders,
} from './hello.ts';

export type { LocalHello } from './hello.ts';

export interface CrawlAnswer {
  peers: Endpoint[];
  leaves: Endpoint[];
}

export interface HandshakeOptions {
  direction: 'in' | 'out';
  local: LocalHello;
  /** The peer's IP as the socket has it; becomes Remote-IP. */
  remoteAddress: string;
  /**
   * Calls admit() of admission.ts with the current context. Called for the peer's headers, and once more when an incoming peer
   * acknowledges, as slots and its role may have changed; so the context must count established links only.
   */
  admit: (peer: Capabilities) => Verdict;
  /** Fresh hosts for X-Try-Ultrapeers; the first 10 are sent. */
  tryUltrapeers: () => Endpoint[];
  /** Lists neighbours for a crawler; null refuses it (403). */
  crawl: () => CrawlAnswer | null;
  /** Offer TLS, and start it when the peer offers it too. Not over a connection that is TLS already. */
  tls?: boolean;
  /** A connector's version; 0.6 by default. */
  version?: ProtocolVersion;
}

/** Why a handshake failed, for counters. */
export type RefusalReason =
  /** Refused by admit(). */
  | 'admission'
  /** Refused by the peer. */
  | 'peer-status'
  | 'malformed'
  | 'too-long'
  /** A connector sent more before the answer. */
  | 'early-data'
  /** Neither 0.4 nor 0.6, or 0.4 where 0.6 was spoken. */
  | 'version'
  /** The peer starts TLS without an offer. */
  | 'upgrade';

export interface HandshakeAccepted {
  kind: 'accepted';
  version: ProtocolVersion;
  capabilities: Capabilities;
  peerRole: PeerRole;
  ourRole: Role;
  /** The peer's bytes are deflated from the first byte of `rest` on. */
  deflateIn: boolean;
  /** Our bytes must be deflated from the first byte after the handshake on. */
  deflateOut: boolean;
  /** TLS follows, started by the connector; deflate is inside it. */
  tls: boolean;
  /** Bytes that followed the handshake, still encrypted when tls, still deflated when deflateIn. A view of the last chunk. */
  rest: Buffer;
}

export interface HandshakeRefused {
  kind: 'refused';
  by: 'us' | 'peer';
  reason: RefusalReason;
  /** Status code; 0 when the peer speaks none. */
  code: number;
  /** At most 255 characters, printable. */
  text: string;
  /** Hosts in the peer's refusal. */
  tryUltrapeers: readonly Endpoint[];
  tryHosts: readonly Endpoint[];
  /** Null when the peer's headers were not received. */
  capabilities: Capabilities | null;
}

export interface HandshakeCrawled {
  kind: 'crawled';
  userAgent: string | null;
}

export type HandshakeOutcome = HandshakeAccepted | HandshakeRefused | HandshakeCrawled;

const CONNECT = /^GNUTELLA CONNECT\/(\d{1,3})\.(\d{1,3})$/i;
/** Any spacing, as in gtk-gnutella; the reason text may be missing. */
const STATUS = /^GNUTELLA\/(\d{1,3})\.(\d{1,3})[ \t]+(\d{3})(?:[ \t]+(.*))?$/i;
const CONNECT_04 = 'GNUTELLA CONNECT/0.4';
const OK_04 = 'GNUTELLA OK';
/** Our role changed between the steps. gtk-gnutella's text. */
const ROLE_CHANGED = 'Role changed during handshake';

interface Status {
  is06: boolean;
  code: number;
  text: string;
}

function parseStatus(line: string): Status | null {
  const match = STATUS.exec(line);
  if (match === null) return null;
  const [major, minor, code] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return { is06: major > 0 || minor >= 6, code, text: readableText(match[4] ?? '') };
}

/** A shielded leaf refuses with 204. */
function isSuccess(status: Status): boolean {
  return status.code >= 200 && status.code < 300 && status.code !== 204;
}

export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #version: ProtocolVersion;
  #waitsFor: 'hello' | 'answer' | 'acknowledgement' | 'crawler';
  #reader = new HeaderReader();
  #toSend: Buffer[] = [];
  #outcome: HandshakeOutcome | null = null;
  /** Headers of an incoming peer: those of step 1, merged with step 3. */
  #peerHeaders = new Headers();
  #capabilities: Capabilities | null = null;
  #deflateOut = false;
  #tls = false;

  /** Throws RangeError when our hello is malformed or over HELLO_BYTES_MAX. */
  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#version = options.version ?? '0.6';
    this.#waitsFor = options.direction === 'in' ? 'hello' : 'answer';
    const headers = helloHeaders(options.local, options.remoteAddress);
    if (options.tls === true && options.direction === 'out') offerTls(headers);
    const hello = encodeHeaderBlock('GNUTELLA CONNECT/0.6', headers);
    if (hello.length > HELLO_BYTES_MAX) throw new RangeError(`a hello of ${hello.length} bytes`);
    if (options.direction === 'out') {
      this.#toSend.push(this.#version === '0.4' ? Buffer.from(`${CONNECT_04}\n\n`) : hello);
    }
  }

  /**
   * Null while running. Then send the bytes of take(), and use an accepted link, or close (half-close, then destroy) a
   * refused or crawled one.
   */
  get outcome(): HandshakeOutcome | null {
    return this.#outcome;
  }

  /** Memory held while waiting for a blank line: at most 16 KiB. */
  get heldBytes(): number {
    return this.#reader.heldBytes;
  }

  /** Takes the bytes to send now, maybe none. A connector has its hello from the start. */
  take(): Buffer {
    const bytes = Buffer.concat(this.#toSend);
    this.#toSend = [];
    return bytes;
  }

  /** Processes received bytes; never throws. Ignores bytes after the outcome. */
  feed(chunk: Buffer): void {
    if (this.#outcome !== null || chunk.length === 0) return;
    let state: 'more' | 'done';
    try {
      state = this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#onUnreadable(error);
      return;
    }
    if (state === 'more') return;
    const { block, rest } = this.#reader;
    this.#reader = new HeaderReader();
    switch (this.#waitsFor) {
      case 'hello':
        this.#onHello(block, rest);
        break;
      case 'answer':
        this.#onAnswer(block, rest);
        break;
      case 'acknowledgement':
        this.#onAcknowledgement(block, rest);
        break;
      case 'crawler':
        this.#finishCrawl();
        break;
    }
  }

  #onUnreadable(error: ProtocolError): void {
    if (this.#waitsFor === 'crawler') {
      this.#finishCrawl();
      return;
    }
    const tooLong = error.code === 'HANDSHAKE_TOO_LONG';
    // other malformed input in step 1 may be of any protocol: close without an answer
    if (tooLong && this.#waitsFor === 'hello') this.#refuse('too-long', 413, 'Header too large');
    else this.#fail('us', tooLong ? 'too-long' : 'malformed', tooLong ? 413 : 400, error.message);
  }

  // Acceptor

  #onHello(block: HeaderBlock, rest: Buffer): void {
    const match = CONNECT.exec(block.firstLine);
    if (match === null) {
      this.#fail('us', 'malformed', 400, 'not a Gnutella hello');
      return;
    }
    const [major, minor] = [Number(match[1]), Number(match[2])];
    if (major === 0 && minor !== 4 && minor < 6) this.#fail('us', 'version', 400, `protocol 0.${minor}`);
    else if (major === 0 && minor === 4) this.#onOldHello(rest);
    else if (rest.length > 0) this.#refuse('early-data', 400, 'Extra hello data');
    else this.#onPeerHello(block.headers);
  }

  #onOldHello(rest: Buffer): void {
    if (rest.length > 0) {
      this.#fail('us', 'early-data', 400, 'Extra hello data');
      return;
    }
    const peer = this.#introduce(new Headers(), '0.4');
    const verdict = this.#options.admit(peer);
    if (verdict.kind === 'refuse') {
      this.#fail('us', 'admission', verdict.code, verdict.text); // 0.4 has no refusal: close
      return;
    }
    this.#toSend.push(Buffer.from(`${OK_04}\n\n`));
    this.#accept('0.4', peer, verdict.peerRole, verdict.ourRole, false, rest);
  }

  #onPeerHello(headers: Headers): void {
    const { local, remoteAddress } = this.#options;
    const peer = this.#introduce(headers, '0.6');
    this.#peerHeaders = headers;
    if (peer.crawler) {
      this.#onCrawler();
      return;
    }
    const verdict = this.#options.admit(peer);
    if (verdict.kind === 'refuse') {
      this.#refuse('admission', verdict.code, verdict.text);
      return;
    }
    this.#tls = this.#options.tls === true && peer.tlsUpgrade;
    const choices = this.#choose(headers, peer, verdict.ultrapeerNeeded);
    this.#say(200, 'OK', answerHeaders(local, remoteAddress, peer, choices));
    this.#waitsFor = 'acknowledgement';
  }

  #onAcknowledgement(block: HeaderBlock, rest: Buffer): void {
    const status = parseStatus(block.firstLine);
    if (status === null) {
      this.#fail('us', 'malformed', 400, 'not an acknowledgement');
      return;
    }
    if (!isSuccess(status)) {
      this.#fail('peer', 'peer-status', status.code, status.text, block.headers);
      return;
    }
    const upgrades = wantsUpgrade(block.headers);
    if (upgrades && !this.#tls) {
      this.#fail('us', 'upgrade', 400, 'TLS was not offered');
      return;
    }
    this.#tls = upgrades; // the connector may decline the offer
    this.#peerHeaders.delete('Content-Encoding'); // only step 3's counts
    for (const [name, value] of block.headers) this.#peerHeaders.set(name, value);
    const peer = this.#introduce(this.#peerHeaders, '0.6');
    const verdict = this.#options.admit(peer);
    if (verdict.kind === 'refuse') this.#sayBye(verdict.code, verdict.text);
    else if (verdict.ourRole !== this.#options.local.role) this.#sayBye(504, ROLE_CHANGED);
    else if (peer.role === 'ultrapeer' && verdict.onlyAsLeaf === true) {
      this.#sayBye(503, 'No ultrapeer slot left'); // asked to become our leaf, it stayed an ultrapeer
    } else this.#accept('0.6', peer, verdict.peerRole, verdict.ourRole, peer.contentDeflate, rest);
  }

  #onCrawler(): void {
    const neighbours = this.#options.crawl();
    if (neighbours === null) {
      this.#refuse('admission', 403, 'Too frequent crawling');
      return;
    }
    this.#say(200, 'OK', crawlerHeaders(this.#options.local, neighbours.peers, neighbours.leaves));
    this.#waitsFor = 'crawler'; // closing before its acknowledgement could cut off our answer
  }

  #finishCrawl(): void {
    this.#outcome = { kind: 'crawled', userAgent: this.#capabilities?.userAgent ?? null };
  }

  // Connector

  #onAnswer(block: HeaderBlock, rest: Buffer): void {
    if (this.#version === '0.4') this.#onOldAnswer(block, rest);
    else if (block.firstLine === OK_04) this.#fail('peer', 'version', 0, OK_04);
    else this.#onPeerAnswer(block, rest);
  }

  #onOldAnswer(block: HeaderBlock, rest: Buffer): void {
    if (block.firstLine !== OK_04) {
      const status = parseStatus(block.firstLine);
      const text = status?.text ?? readableText(block.firstLine);
      this.#fail('peer', 'peer-status', status?.code ?? 0, text, block.headers);
      return;
    }
    const peer = this.#introduce(new Headers(), '0.4');
    const verdict = this.#options.admit(peer);
    if (verdict.kind === 'refuse') this.#fail('us', 'admission', verdict.code, verdict.text);
    else this.#accept('0.4', peer, verdict.peerRole, verdict.ourRole, false, rest);
  }

  #onPeerAnswer(block: HeaderBlock, rest: Buffer): void {
    const status = parseStatus(block.firstLine);
    if (status === null) {
      this.#fail('us', 'malformed', 400, 'not an answer');
      return;
    }
    const peer = this.#introduce(block.headers, '0.6');
    if (!isSuccess(status)) this.#fail('peer', 'peer-status', status.code, status.text, block.headers);
    else if (!status.is06) this.#fail('us', 'version', 400, 'an answer below 0.6');
    else if (wantsUpgrade(block.headers) && !(this.#options.tls === true && peer.tlsUpgrade)) {
      this.#refuse('upgrade', 400, 'TLS was not offered');
    } else this.#judgeAnswer(block.headers, peer, rest);
  }

  #judgeAnswer(headers: Headers, peer: Capabilities, rest: Buffer): void {
    const verdict = this.#options.admit(peer);
    if (verdict.kind === 'refuse') {
      this.#refuse('admission', verdict.code, verdict.text);
      return;
    }
    if (verdict.ourRole === 'ultrapeer' && this.#options.local.role === 'leaf') {
      this.#refuse('admission', 504, ROLE_CHANGED); // step 3 can announce only a change to leaf
      return;
    }
    const becameLeaf = verdict.ourRole === 'leaf' && this.#options.local.role === 'ultrapeer';
    this.#tls = wantsUpgrade(headers);
    const choices = this.#choose(headers, peer, null);
    this.#say(200, 'OK', acknowledgementHeaders(peer, choices, becameLeaf));
    this.#accept('0.6', peer, verdict.peerRole, verdict.ourRole, peer.contentDeflate, rest);
  }

  // Both

  #introduce(headers: Headers, version: ProtocolVersion): Capabilities {
    this.#capabilities = capabilitiesOf(headers, version);
    return this.#capabilities;
  }

  #choose(headers: Headers, peer: Capabilities, ultrapeerNeeded: boolean | null): AnswerChoices {
    this.#deflateOut = this.#options.local.deflate && peer.deflate;
    return { ultrapeerNeeded, deflate: this.#deflateOut, contentType: headers.has('Accept'), tls: this.#tls };
  }

  #say(code: number, text: string, headers: Headers): void {
    this.#toSend.push(encodeHeaderBlock(`GNUTELLA/0.6 ${code} ${text}`, headers));
  }

  /** Refuses after our status line, by a Bye descriptor; sends nothing when the peer expects TLS. */
  #sayBye(code: number, text: string): void {
    if (this.#tls) {
      this.#fail('us', 'admission', code, text);
      return;
    }
    const payload = encodeBye({ code, text, headers: [] });
    const bye = encodeDescriptor(markGuid(Buffer.alloc(16)), Type.Bye, 1, 0, payload);
    this.#toSend.push(this.#deflateOut ? deflateSync(bye) : bye);
    this.#fail('us', 'admission', code, text);
  }

  #refuse(reason: RefusalReason, code: number, text: string): void {
    const { local, remoteAddress, tryUltrapeers } = this.#options;
    this.#say(code, text, refusalHeaders(local, remoteAddress, code, tryUltrapeers));
    this.#fail('us', reason, code, text);
  }

  #fail(by: 'us' | 'peer', reason: RefusalReason, code: number, text: string, headers: Headers | null = null): void {
    const offered = headers === null ? null : capabilitiesOf(headers);
    this.#outcome = {
      kind: 'refused',
      by,
      reason,
      code,
      text,
      tryUltrapeers: offered?.tryUltrapeers ?? [],
      tryHosts: offered?.tryHosts ?? [],
      capabilities: this.#capabilities,
    };
  }

  #accept(
    version: ProtocolVersion,
    capabilities: Capabilities,
    peerRole: PeerRole,
    ourRole: Role,
    deflateIn: boolean,
    rest: Buffer,
  ): void {
    const [deflateOut, tls] = [this.#deflateOut, this.#tls];
    this.#outcome = { kind: 'accepted', version, capabilities, peerRole, ourRole, deflateIn, deflateOut, tls, rest };
  }
}

function wantsUpgrade(headers: Headers): boolean {
  return (headers.get('Connection') ?? '').toLowerCase().includes('upgrade');
}
