// The connection handshake as a state machine without sockets: 0.6 in three steps and 0.4, both directions.
// Time is the shell's: it closes a handshake that has no outcome in time.
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

export interface Neighbours {
  peers: Endpoint[];
  leaves: Endpoint[];
}

export interface HandshakeOptions {
  direction: 'in' | 'out';
  local: LocalHello;
  /** The peer's IP as the socket has it; becomes Remote-IP. */
  remoteAddress: string;
  /**
   * admit() of admission.ts with the moment's context. Called when the peer has introduced itself; an incoming peer is
   * judged once more when it acknowledges, since slots may be gone and its role may have changed by then. So the
   * context must count established links only.
   */
  admit: (peer: Capabilities) => Verdict;
  /** Fresh hosts for X-Try-Ultrapeers; the first 10 are sent. */
  tryUltrapeers: () => Endpoint[];
  /** Answer to a crawler; null refuses it (403). */
  crawl: () => Neighbours | null;
  /** Offer to go on in TLS, and do so when the peer offers it too. Not over a connection that is TLS already. */
  tls?: boolean;
  /** What a connector speaks; 0.6 by default. */
  version?: ProtocolVersion;
}

/** Why a handshake failed, for counting. */
export type RefusalReason =
  /** Our verdict. */
  | 'admission'
  /** The peer's status line. */
  | 'peer-status'
  | 'malformed'
  | 'too-long'
  /** A connector that did not wait for the answer. */
  | 'early-data'
  /** Neither 0.4 nor 0.6, or 0.4 where 0.6 was spoken. */
  | 'version'
  /** The peer wants TLS that nobody offered. */
  | 'upgrade';

export interface Accepted {
  kind: 'accepted';
  version: ProtocolVersion;
  capabilities: Capabilities;
  peerRole: PeerRole;
  ourRole: Role;
  /** What the peer sends is deflated, from the first byte of `rest` on. */
  deflateIn: boolean;
  /** What we send must be deflated, from the first byte after the handshake on. */
  deflateOut: boolean;
  /** Everything from here on is TLS, begun by the connector; deflate is inside it. */
  tls: boolean;
  /** Bytes that followed the handshake, still encrypted when tls, still deflated when deflateIn. A view of the last chunk. */
  rest: Buffer;
}

export interface Refused {
  kind: 'refused';
  by: 'us' | 'peer';
  reason: RefusalReason;
  /** Status code; 0 when the peer speaks none. */
  code: number;
  /** At most 255 characters, printable. */
  text: string;
  /** What the peer's own refusal offered. */
  tryUltrapeers: Endpoint[];
  tryHosts: Endpoint[];
  /** When it got as far as introducing itself. */
  capabilities: Capabilities | null;
}

export interface Crawled {
  kind: 'crawled';
  userAgent: string | null;
}

export type Outcome = Accepted | Refused | Crawled;

const CONNECT = /^GNUTELLA CONNECT\/(\d{1,3})\.(\d{1,3})$/i;
/** gtk-gnutella reads any spacing; the reason text may be missing (LimeWire would refuse that). */
const STATUS = /^GNUTELLA\/(\d{1,3})\.(\d{1,3})[ \t]+(\d{3})(?:[ \t]+(.*))?$/i;
const CONNECT_04 = 'GNUTELLA CONNECT/0.4';
const OK_04 = 'GNUTELLA OK';
/** Ours, by election, between the steps. gtk-gnutella's words. */
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

/** 204 is how a shielded leaf declines. */
function isSuccess(status: Status): boolean {
  return status.code >= 200 && status.code < 300 && status.code !== 204;
}

export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #version: ProtocolVersion;
  #waitsFor: 'hello' | 'answer' | 'acknowledgement' | 'crawler';
  #reader = new HeaderReader();
  #toSend: Buffer[] = [];
  #outcome: Outcome | null = null;
  /** Of an incoming peer: step 1, which step 3 adds to. */
  #peerHeaders = new Headers();
  #capabilities: Capabilities | null = null;
  #deflateOut = false;
  #tls = false;

  /** Throws RangeError when our own hello is no header block or over HELLO_BYTES_MAX. */
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
   * Null while under way. Once there, send what take() gives, then obey: hand an accepted link on, close (half-close,
   * then destroy) on refused and crawled.
   */
  get outcome(): Outcome | null {
    return this.#outcome;
  }

  /** Memory held while waiting for a blank line: at most 16 KiB. */
  get heldBytes(): number {
    return this.#reader.heldBytes;
  }

  /** Bytes to send now, empty when none. A connector's hello is there from the start. */
  take(): Buffer {
    const bytes = Buffer.concat(this.#toSend);
    this.#toSend = [];
    return bytes;
  }

  /** Never throws, whatever the bytes. Bytes after the outcome are ignored: they belong to whom the link went to. */
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
    // who does not get through step 1 may speak anything: only an oversized hello is worth an answer
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
      this.#fail('us', 'admission', verdict.code, verdict.text); // 0.4 knows no refusal but closing
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
    this.#tls = upgrades; // ours was an offer
    this.#peerHeaders.delete('Content-Encoding'); // a choice: it belongs to step 3
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
    this.#waitsFor = 'crawler'; // closing before its acknowledgement came would cut our answer short
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
      this.#refuse('admission', 504, ROLE_CHANGED); // only the other way can step 3 say it
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

  /** Too late for a status line. The one descriptor that a handshake ever sends; none to who expects TLS now. */
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
