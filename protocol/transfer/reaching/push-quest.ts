// Decides how one source is reached: directly, then by pushes of every kind, then by what is left where both are firewalled. It is told
// time and results, and says what to do.
import { type Endpoint, formatEndpoint } from '../../wire/endpoint.ts';
import { FIREWALL_TO_FIREWALL_INDEX } from '../../wire/push.ts';
import type { PushProxyVerdict } from '../push-proxy.ts';
import type { ReachMark } from './reach-memory.ts';
import type { ReachWay } from './reach-way.ts';

/** Pushes begin when a dial has not ended so soon. */
const DIRECT_HEAD_MS = 5_000;
/** Proxies are asked over HTTP when no GIV came so soon (LimeWire). */
const HTTP_AFTER_MS = 5_000;
/** A proxy that has not answered by then is given up (LimeWire). */
const HTTP_ANSWER_MS = 5_000;
/** From the yes of a proxy to the next way, if no GIV comes. */
const SENT_MS = 8_000;
/** Only the source itself was asked, by datagram, which most firewalls keep out. */
const OVERLAY_SOON_MS = 1_000;
/** For all pushes together: LimeWire gives up after 30 s, gtk-gnutella after 90. */
const GIV_MS = 40_000;
/** A lookup in the DHT mostly takes some seconds. */
const FIND_MS = 25_000;
/** When nothing but the datagram to the source itself could be sent. */
const SELF_MS = 10_000;
/** A stream by UDP is tried beside pushes after so long: soon when it is not known that we can be reached. */
const STREAM_SOON_MS = 1_000;
const STREAM_LATE_MS = 10_000;
/** A relay beside pushes, while it is not known that we can be reached: it costs others something, so streams have their time first. */
const RELAY_AFTER_MS = 8_000;
const RELAY_AFTER_STREAM_MS = 25_000;
/** gtk-gnutella sends datagrams to four proxies. */
const PROXIES_MAX = 4;
/** Of the DHT, beyond those. */
const FOUND_PROXIES_MAX = 4;

export type QuestErrorCode =
  | 'PUSH_FIREWALLED'
  | 'PUSH_NO_WAY'
  | 'PUSH_TOO_OFTEN'
  | 'PUSH_BUSY'
  | 'PUSH_TIMEOUT'
  | 'DIAL_FAILED';

export type QuestCommand =
  /** Connect to the source; `dialFailed` follows, or the end of the quest. */
  | { readonly kind: 'dial' }
  /** `streams`: a push for a stream by UDP. */
  | { readonly kind: 'datagram'; readonly to: Endpoint; readonly isProxy: boolean; readonly streams?: true }
  /** Ask a push proxy over HTTP for a push with this file index; `proxyAnswered` follows. */
  | { readonly kind: 'proxy'; readonly proxy: Endpoint; readonly fileIndex: number }
  /** A push along the links that the source's hits came over; `overlaySent` follows. */
  | { readonly kind: 'overlay' }
  /** Look for push proxies; `proxiesFound` follows, more than once if need be. */
  | { readonly kind: 'findProxies' }
  /** The source was told to open a stream by UDP to us: do so as well; `lastFailed` follows, or the end. */
  | { readonly kind: 'rudp'; readonly to: Endpoint }
  /** Meet the source at a relay; `lastFailed` follows, or the end. */
  | { readonly kind: 'relay' }
  /** The quest is over. */
  | { readonly kind: 'failed'; readonly code: QuestErrorCode; readonly reason: string };

export interface QuestFacts {
  readonly endpoint: Endpoint;
  /** It said, or others did of it, that it cannot be connected to. */
  readonly push: boolean;
  readonly fileIndex: number;
  /** The endpoint may be dialled. */
  readonly mayDial: boolean;
  /** Null: a push may be sent. Else why not. */
  readonly noPush: { readonly code: QuestErrorCode; readonly reason: string } | null;
  readonly datagrams: boolean;
  /** That may be asked, the best first. */
  readonly proxies: readonly Endpoint[];
  readonly mayFindProxies: boolean;
  /** Where the source takes streams by UDP, when we can open them as well. */
  readonly rudp: Endpoint | null;
  /** Neither side can connect to the other, and we can open streams by UDP: where the source takes them, and its proxies, may be looked for. */
  readonly mayStream?: boolean;
  /** It is not known that others can connect to us. */
  readonly unproven?: boolean;
  readonly relay: boolean;
  /** How it was reached the last time. */
  readonly mark: ReachMark | null;
}

interface ProxyCall {
  readonly proxy: Endpoint;
  readonly way: 'proxy' | 'dht';
  readonly fileIndex: number;
  readonly until: number;
}

export class PushQuest {
  readonly #facts: QuestFacts;
  readonly #found: Endpoint[] = [];
  /** Where the source takes streams by UDP, as far as is known. */
  #stream: Endpoint | null;
  /** Nothing has to be looked for to have a stream opened. */
  readonly #isTold: boolean;
  /** Push proxies are looked for to have a stream opened. */
  #seeksStream = false;
  #calls: ProxyCall[] = [];
  /** Proxies that were asked over HTTP, and what was asked of them. */
  readonly #called = new Set<string>();
  readonly #asked = new Set<ReachWay>();
  /** The latest way that may have told the source to connect. */
  #way: ReachWay | null = null;
  /** Who said over HTTP that it passed the push on. */
  #proxy: Endpoint | null = null;
  #dial: 'none' | 'going' | 'failed' = 'none';
  #dialError: string | null = null;
  #overlayGoing = false;
  /** Until then push proxies are looked for. */
  #findUntil = 0;
  #pushesAt: number;
  #httpAt = Number.POSITIVE_INFINITY;
  #overlayAt = Number.POSITIVE_INFINITY;
  #streamAt = Number.POSITIVE_INFINITY;
  #relayAt = Number.POSITIVE_INFINITY;
  /** A stream by UDP has been opened; once is enough. */
  #hasStreamed = false;
  /** Until then a GIV may come. */
  #givUntil = 0;
  /** Ways for when nothing else is left, each tried once. */
  readonly #last: ('rudp' | 'relay' | 'dial')[] = [];
  #lastGoing: 'rudp' | 'relay' | null = null;
  #isOver = false;

  constructor(facts: QuestFacts, now: number) {
    this.#facts = facts;
    const { mayDial, noPush, push, mark, rudp, relay } = facts;
    this.#stream = rudp;
    const reachedByPush = mark !== null && mark.way !== 'direct' && noPush === null;
    const dialsFirst = mayDial && (push ? mark?.way === 'direct' : !reachedByPush);
    this.#dial = dialsFirst ? 'going' : 'none';
    const head = dialsFirst ? DIRECT_HEAD_MS : 0;
    this.#pushesAt = noPush === null ? now + head : Number.POSITIVE_INFINITY;
    // one that can be reached by datagrams is told itself, another through its proxies
    this.#isTold = rudp !== null && (facts.proxies.length > 0 || (!push && facts.datagrams));
    if (this.#isTold || (facts.mayStream === true && facts.mayFindProxies)) this.#last.push('rudp');
    // one that says it cannot be connected to, and where it takes streams, is mostly dialled in vain
    if (mayDial && !dialsFirst) this.#last.push('dial');
    if (relay) this.#last.push('relay');
  }

  /** Done at once, before anything else is told. */
  begin(now: number): QuestCommand[] {
    const commands: QuestCommand[] = this.#dial === 'going' ? [{ kind: 'dial' }] : [];
    if (this.#dial === 'going') this.#asked.add('direct');
    this.#advance(commands, now);
    return commands;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** By which ways it was tried. */
  get asked(): ReadonlySet<ReachWay> {
    return this.#asked;
  }

  /** The way of the GIV that comes now: the latest that may have brought it. */
  get pushWay(): ReachWay {
    return this.#way ?? 'datagram';
  }

  /** The proxy that passed the push on, as far as is known. */
  get provenProxy(): Endpoint | null {
    return this.#way === 'proxy' || this.#way === 'dht' ? this.#proxy : null;
  }

  /** It is reached, or not wanted any more. */
  end(): void {
    this.#isOver = true;
  }

  tick(now: number): QuestCommand[] {
    const commands: QuestCommand[] = [];
    this.#advance(commands, now);
    return commands;
  }

  /** When `tick` has something to do; Infinity: not before something is told. */
  get nextAt(): number {
    if (this.#isOver) return Number.POSITIVE_INFINITY;
    let at = Math.min(this.#pushesAt, this.#httpAt, this.#overlayAt, this.#streamAt);
    if (this.#lastGoing === null) at = Math.min(at, this.#relayAt);
    for (const { until } of this.#calls) at = Math.min(at, until);
    const ends = Math.max(this.#givUntil, this.#findUntil);
    return ends > 0 && this.#dial !== 'going' && this.#lastGoing === null ? Math.min(at, ends) : at;
  }

  dialFailed(reason: string, now: number): QuestCommand[] {
    if (this.#dial === 'going') {
      this.#dial = 'failed';
      this.#dialError = reason;
      if (this.#pushesAt !== Number.POSITIVE_INFINITY) this.#pushesAt = now;
    }
    return this.tick(now);
  }

  proxyAnswered(proxy: Endpoint, fileIndex: number, verdict: PushProxyVerdict, now: number): QuestCommand[] {
    const commands: QuestCommand[] = [];
    const at = this.#calls.findIndex(call => call.fileIndex === fileIndex && isSame(call.proxy, proxy));
    const [call] = at < 0 ? [] : this.#calls.splice(at, 1);
    if (call !== undefined && !this.#isOver && verdict !== 'refused' && verdict !== 'silent') {
      if (fileIndex === FIREWALL_TO_FIREWALL_INDEX) this.#openStream(commands);
      else this.#sent(call, verdict, now);
    }
    this.#advance(commands, now);
    return commands;
  }

  /** A push went out on so many links. */
  overlaySent(links: number, now: number): QuestCommand[] {
    this.#overlayGoing = false;
    if (links > 0) this.#expect('overlay', GIV_MS, now);
    return this.tick(now);
  }

  /** `isAll`: no more will come. `stream`: where the source takes streams by UDP, as it has published. */
  proxiesFound(
    proxies: readonly Endpoint[],
    isAll: boolean,
    now: number,
    stream: Endpoint | null = null,
  ): QuestCommand[] {
    const commands: QuestCommand[] = [];
    if (isAll) this.#findUntil = 0;
    this.#stream ??= stream;
    if (this.#seeksStream) this.#askFoundForStream(proxies, commands, now);
    for (const proxy of this.#isOver || this.#seeksStream ? [] : proxies) {
      const isKnown = [...this.#facts.proxies, ...this.#found].some(known => isSame(known, proxy));
      if (isKnown || this.#found.length >= FOUND_PROXIES_MAX) continue;
      this.#found.push(proxy);
      this.#datagram(proxy, 'dht', commands, now);
      this.#call(proxy, 'dht', this.#facts.fileIndex, commands, now);
    }
    this.#advance(commands, now);
    return commands;
  }

  #askFoundForStream(found: readonly Endpoint[], commands: QuestCommand[], now: number): void {
    if (this.#isOver || this.#stream === null) return;
    const proxies = [...this.#facts.proxies.slice(0, PROXIES_MAX), ...found.slice(0, FOUND_PROXIES_MAX)];
    for (const proxy of proxies) this.#call(proxy, 'dht', FIREWALL_TO_FIREWALL_INDEX, commands, now);
  }

  /** The stream by UDP, or the relay, came to nothing. */
  lastFailed(way: 'rudp' | 'relay', now: number): QuestCommand[] {
    if (this.#lastGoing === way) this.#lastGoing = null;
    if (way === 'rudp' && this.#relayAt !== Number.POSITIVE_INFINITY) this.#relayAt = now;
    return this.tick(now);
  }

  #advance(commands: QuestCommand[], now: number): void {
    if (this.#isOver) return;
    if (now >= this.#pushesAt) this.#beginPushes(commands, now);
    if (now >= this.#httpAt) this.#askProxies(commands, now);
    if (now >= this.#streamAt) this.#askForStream(commands, now);
    if (now >= this.#relayAt && this.#lastGoing === null) this.#meetAtRelay(commands);
    this.#calls = this.#calls.filter(({ until }) => until > now);
    // all have answered, or will not, and none passed it on
    const refused = this.#called.size > 0 && this.#calls.length === 0 && this.#proxy === null;
    if (now >= this.#overlayAt || (refused && this.#overlayAt !== Number.POSITIVE_INFINITY))
      this.#askOverlay(commands, now);
    this.#judge(commands, now);
  }

  /** To the source and all proxies by datagram, and at once what worked the last time. */
  #beginPushes(commands: QuestCommand[], now: number): void {
    const { endpoint, mark, proxies, fileIndex } = this.#facts;
    this.#pushesAt = Number.POSITIVE_INFINITY;
    if (this.#last.includes('relay') && this.#facts.unproven === true) {
      const waitMs = this.#last.includes('rudp') ? RELAY_AFTER_STREAM_MS : RELAY_AFTER_MS;
      this.#relayAt = mark?.way === 'relay' ? now : now + waitMs;
    }
    if (this.#last.includes('rudp')) {
      const waitMs = this.#facts.unproven === true ? STREAM_SOON_MS : STREAM_LATE_MS;
      this.#streamAt = mark?.way === 'rudp' ? now : now + waitMs;
    }
    if (mark?.way === 'overlay') this.#askOverlay(commands, now);
    const known = proxies.slice(0, PROXIES_MAX);
    for (const proxy of known) this.#datagram(proxy, 'datagram', commands, now);
    if (endpoint.port > 0 && this.#facts.datagrams) {
      commands.push({ kind: 'datagram', to: endpoint, isProxy: false });
      this.#asked.add('datagram');
      this.#way ??= 'datagram';
      this.#givUntil = Math.max(this.#givUntil, now + SELF_MS);
    }
    const isProven = mark !== null && mark.proxy !== null && (mark.way === 'proxy' || mark.way === 'dht');
    if (isProven && mark.proxy !== null) this.#call(mark.proxy, 'proxy', fileIndex, commands, now);
    if (known.length > 0) this.#httpAt = this.#facts.datagrams ? now + HTTP_AFTER_MS : now;
    if (this.#asked.has('overlay')) return;
    if (known.length > 0) this.#overlayAt = this.#httpAt + HTTP_ANSWER_MS;
    else this.#overlayAt = this.#asked.has('datagram') ? now + OVERLAY_SOON_MS : now;
  }

  #datagram(proxy: Endpoint, way: 'datagram' | 'dht', commands: QuestCommand[], now: number): void {
    if (!this.#facts.datagrams) return;
    commands.push({ kind: 'datagram', to: proxy, isProxy: true });
    this.#expect(way, GIV_MS, now);
  }

  #askProxies(commands: QuestCommand[], now: number): void {
    this.#httpAt = Number.POSITIVE_INFINITY;
    const { proxies, fileIndex } = this.#facts;
    for (const proxy of proxies.slice(0, PROXIES_MAX)) this.#call(proxy, 'proxy', fileIndex, commands, now);
  }

  #call(proxy: Endpoint, way: 'proxy' | 'dht', fileIndex: number, commands: QuestCommand[], now: number): void {
    const key = `${formatEndpoint(proxy)} ${fileIndex}`;
    if (this.#called.has(key)) return;
    this.#called.add(key);
    this.#asked.add(fileIndex === FIREWALL_TO_FIREWALL_INDEX ? 'rudp' : way);
    this.#calls.push({ proxy, way, fileIndex, until: now + HTTP_ANSWER_MS });
    commands.push({ kind: 'proxy', proxy, fileIndex });
  }

  /** The first that passes it on is enough. */
  #sent({ proxy, way }: ProxyCall, verdict: PushProxyVerdict, now: number): void {
    this.#expect(way, GIV_MS, now);
    if (verdict !== 'sent') return;
    this.#proxy ??= proxy;
    if (this.#overlayAt !== Number.POSITIVE_INFINITY) this.#overlayAt = now + SENT_MS;
  }

  #askOverlay(commands: QuestCommand[], now: number): void {
    this.#overlayAt = Number.POSITIVE_INFINITY;
    this.#overlayGoing = true;
    this.#asked.add('overlay');
    commands.push({ kind: 'overlay' });
    if (!this.#facts.mayFindProxies) return;
    this.#findUntil = now + FIND_MS;
    commands.push({ kind: 'findProxies' });
  }

  #expect(way: ReachWay, ms: number, now: number): void {
    this.#asked.add(way);
    this.#way = way;
    this.#givUntil = Math.max(this.#givUntil, now + ms);
  }

  /** Has the source told to open a stream by UDP to us. */
  #askForStream(commands: QuestCommand[], now: number): void {
    const { proxies, rudp } = this.#facts;
    this.#streamAt = Number.POSITIVE_INFINITY;
    const at = this.#last.indexOf('rudp');
    if (at >= 0) this.#last.splice(at, 1);
    this.#asked.add('rudp');
    if (!this.#isTold) {
      this.#seeksStream = true;
      this.#findUntil = now + FIND_MS;
      commands.push({ kind: 'findProxies' });
      return;
    }
    for (const proxy of proxies.slice(0, PROXIES_MAX))
      this.#call(proxy, 'proxy', FIREWALL_TO_FIREWALL_INDEX, commands, now);
    if (proxies.length > 0 || rudp === null) return;
    commands.push({ kind: 'datagram', to: rudp, isProxy: false, streams: true });
    this.#openStream(commands);
  }

  #meetAtRelay(commands: QuestCommand[]): void {
    this.#relayAt = Number.POSITIVE_INFINITY;
    const at = this.#last.indexOf('relay');
    if (at >= 0) this.#last.splice(at, 1);
    this.#asked.add('relay');
    this.#lastGoing = 'relay';
    this.#way = 'relay';
    commands.push({ kind: 'relay' });
  }

  #openStream(commands: QuestCommand[]): void {
    const rudp = this.#stream;
    if (rudp === null || this.#hasStreamed) return;
    this.#hasStreamed = true;
    this.#lastGoing = 'rudp';
    commands.push({ kind: 'rudp', to: rudp });
  }

  /** What is left when nothing is under way any more. */
  #judge(commands: QuestCommand[], now: number): void {
    if (this.#isOver || this.#isBusy(now)) return;
    const way = this.#last.shift();
    switch (way) {
      case 'dial':
        this.#dial = 'going';
        this.#asked.add('direct');
        commands.push({ kind: 'dial' });
        return;
      case 'rudp':
        this.#askForStream(commands, now);
        return;
      case 'relay':
        this.#meetAtRelay(commands);
        return;
      default:
        this.#isOver = true;
        commands.push({ kind: 'failed', ...this.#failure() });
    }
  }

  #isBusy(now: number): boolean {
    const staged =
      Math.min(this.#pushesAt, this.#httpAt, this.#overlayAt, this.#streamAt, this.#relayAt) !==
      Number.POSITIVE_INFINITY;
    const waits = staged || this.#calls.length > 0 || this.#findUntil > now || this.#givUntil > now;
    return waits || this.#overlayGoing || this.#dial === 'going' || this.#lastGoing !== null;
  }

  #failure(): { code: QuestErrorCode; reason: string } {
    const { noPush } = this.#facts;
    const pushed = this.#givUntil > 0;
    const push = pushed
      ? { code: 'PUSH_TIMEOUT' as const, reason: `the servent did not connect, asked by ${this.#waysText()}` }
      : (noPush ?? { code: 'PUSH_NO_WAY' as const, reason: 'no way to that servent is known any more' });
    if (this.#dialError === null) return push;
    if (!pushed && noPush?.code === 'PUSH_NO_WAY') return { code: 'DIAL_FAILED', reason: this.#dialError };
    return { code: 'DIAL_FAILED', reason: `${this.#dialError}; ${push.reason}` };
  }

  #waysText(): string {
    return [...this.#asked].filter(way => way !== 'direct').join(', ');
  }
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.host === b.host && a.port === b.port;
}
