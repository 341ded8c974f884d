// Decides whom a crawl asks next, how, and when, and collects what is answered. Breadth first, each host once.
import type { PeerRole } from '../handshake/capabilities.ts';
import { RateLimit } from '../rate-limit.ts';
import { type Endpoint, endpointKey, formatEndpoint, reachOf } from '../wire/endpoint.ts';
import type { CrawledEdge, CrawledHost, CrawlReport, HostState, LeftOut, Way } from './crawl-report.ts';
import type { CrawlRules } from './crawl-rules.ts';
import type { HostAnswer, Reply } from './host-answer.ts';
import type { VisitBook } from './visit-book.ts';

export interface CrawlOptions {
  readonly rules: CrawlRules;
  readonly book: VisitBook;
  /** Tried in this order until a host names its neighbours. */
  readonly ways: readonly Way[];
  /** Questions a second. */
  readonly rate: number;
  /** Questions that wait for their answers. */
  readonly parallelMax: number;
  /** Hosts that are asked. */
  readonly hostsMax: number;
  /** The block list that has an address, or null. */
  readonly blockedBy?: (host: string) => string | null;
}

/** A question to a host. */
export interface Ask {
  readonly endpoint: Endpoint;
  readonly way: Way;
}

/** What came of a question: nothing, or a reply. */
export type Outcome = Reply | { readonly kind: 'silent'; readonly why: string };

interface Known {
  readonly endpoint: Endpoint;
  readonly address: string;
  state: HostState | 'waiting' | 'asked';
  why: string;
  role: PeerRole | '';
  /** By others, while it has not said so itself. */
  toldRole: PeerRole | '';
  userAgent: string;
  uptime: number | null;
  ultrapeers: number;
  leaves: number;
  ways: readonly Way[];
  way: Way | null;
  askedAt: number;
  ms: number;
}

interface Edge {
  readonly host: Known;
  readonly neighbour: Known;
  kind: CrawledEdge['kind'];
  both: boolean;
}

/** Hosts that are known, as a multiple of those that are asked; beyond, they are counted. */
const KNOWN_FACTOR = 20;
const EDGES_MAX = 500_000;

export class Crawl {
  readonly #options: CrawlOptions;
  readonly #rate: RateLimit;
  #due = Number.NEGATIVE_INFINITY;
  /** By HOST:PORT. */
  readonly #known = new Map<string, Known>();
  readonly #queue: Known[] = [];
  #head = 0;
  readonly #edges = new Map<string, Edge>();
  readonly #ofAddress = new Map<string, number>();
  #underWay = 0;
  #visited = 0;
  #asked = 0;
  #beyond = 0;
  #stopped = false;

  constructor(options: CrawlOptions) {
    this.#options = options;
    this.#rate = new RateLimit(1000 / options.rate, 1);
  }

  /** Why an aim that a person named may not be asked at all, in words; null: it may. */
  forbids({ host, port }: Endpoint): string | null {
    const { rules, blockedBy = () => null } = this.#options;
    const { profile, reaches } = rules;
    if (port === 0) return 'port 0 cannot be connected to';
    const reach = reachOf(host);
    if (reach === 'unusable') return 'that address belongs to nobody';
    const list = blockedBy(host);
    if (list !== null) return `blocked by ${list}`;
    return reaches.includes(reach)
      ? null
      : `profile ${profile} does not reach ${reach} addresses: choose another --profile`;
  }

  add(endpoint: Endpoint): void {
    this.#meet(endpoint);
  }

  /** Asks nobody else; answers to what was asked are still taken. */
  stop(): void {
    this.#stopped = true;
  }

  /** A question to send at once, or null. */
  next(now: number, wallTime: number): Ask | null {
    const { parallelMax, book } = this.#options;
    if (this.#underWay >= parallelMax) return null;
    while (!this.#stopped && this.#head < this.#queue.length) {
      const host = this.#queue[this.#head];
      if (host === undefined) return null;
      const way = host.ways[0];
      const leftOut = way === undefined ? null : this.#leavesOut(host, wallTime);
      if (way === undefined || leftOut !== null) {
        this.#head++;
        if (leftOut !== null) this.#leave(host, leftOut);
        continue;
      }
      const due = this.#rate.admit(this.#due, now);
      if (due < 0) return null;
      this.#due = due;
      this.#head++;
      this.#note(host, way, now);
      book.asked(host.endpoint, wallTime);
      return { endpoint: host.endpoint, way };
    }
    return null;
  }

  /** When next() has something to give: now, later, or when an answer has come (null). */
  deadline(now: number): number | null {
    const isWaiting = !this.#stopped && this.#head < this.#queue.length && this.#underWay < this.#options.parallelMax;
    return isWaiting ? Math.max(now, this.#rate.admitsAt(this.#due)) : null;
  }

  /** Nobody is left to ask, and no answer is due. */
  get over(): boolean {
    return this.#underWay === 0 && (this.#stopped || this.#head >= this.#queue.length);
  }

  get progress(): { readonly asked: number; readonly waiting: number; readonly answered: number } {
    let answered = 0;
    for (const { state } of this.#known.values()) if (state === 'answered') answered++;
    return { asked: this.#asked, waiting: this.#queue.length - this.#head, answered };
  }

  /** What came of a question that next() gave. */
  heard({ endpoint, way }: Ask, outcome: Outcome, now: number, wallTime: number): void {
    const host = this.#known.get(endpointKey(endpoint));
    if (host === undefined || host.state !== 'asked' || host.way !== way) return;
    this.#underWay--;
    if (outcome.kind === 'answered') {
      this.#take(host, outcome.answer, now);
      return;
    }
    host.state = outcome.kind;
    host.why = outcome.why;
    if (outcome.kind === 'refused') {
      if (outcome.optsOut) this.#options.book.optedOut(endpoint, wallTime);
      for (const other of outcome.others) this.#meet(other);
      if (outcome.isFinal) return;
    }
    if (host.ways.length > 0) this.#queue.push(host); // its turn in another way
  }

  report(): CrawlReport {
    const hosts = [...this.#known.values()].map(resultOf);
    const edges = [...this.#edges.values()].map(({ host, neighbour, kind, both }) => ({
      ...{ host: host.address, neighbour: neighbour.address },
      ...{ kind, both },
    }));
    return { hosts, edges, asked: this.#asked, beyond: this.#beyond };
  }

  #meet(endpoint: Endpoint): Known | null {
    const key = endpointKey(endpoint);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= KNOWN_FACTOR * this.#options.hostsMax) {
      this.#beyond++;
      return null;
    }
    const host: Known = {
      ...{ endpoint, address: formatEndpoint(endpoint), state: 'waiting', why: '', role: '', toldRole: '' },
      ...{ userAgent: '', uptime: null, ultrapeers: 0, leaves: 0, ways: this.#options.ways, way: null },
      ...{ askedAt: 0, ms: 0 },
    };
    this.#known.set(key, host);
    this.#queue.push(host);
    return host;
  }

  #leavesOut(host: Known, wallTime: number): LeftOut | null {
    if (host.way !== null) return null; // it is being asked: this is another way
    const { book, rules, hostsMax } = this.#options;
    if (this.forbids(host.endpoint) !== null) return 'forbidden';
    const inBook = book.forbids(host.endpoint, wallTime);
    if (inBook !== null) return inBook;
    const ofAddress = this.#ofAddress.get(host.endpoint.host) ?? 0;
    if (rules.portsOfAddress > 0 && ofAddress >= rules.portsOfAddress) return 'address_full';
    return this.#visited >= hostsMax ? 'not_reached' : null;
  }

  #leave(host: Known, why: LeftOut): void {
    host.state = 'left_out';
    host.why = why;
  }

  #note(host: Known, way: Way, now: number): void {
    if (host.way === null) {
      this.#visited++;
      this.#ofAddress.set(host.endpoint.host, (this.#ofAddress.get(host.endpoint.host) ?? 0) + 1);
    }
    host.ways = host.ways.slice(1);
    host.way = way;
    host.state = 'asked';
    host.askedAt = now;
    this.#asked++;
    this.#underWay++;
  }

  #take(host: Known, answer: HostAnswer, now: number): void {
    host.state = 'answered';
    host.why = '';
    host.role = answer.role ?? '';
    host.userAgent = answer.userAgent;
    host.uptime = answer.uptime;
    host.ms = now - host.askedAt;
    const isLeaf = (host.role || host.toldRole) === 'leaf';
    host.ultrapeers = this.#link(host, answer.ultrapeers, isLeaf ? 'leaf' : 'ultrapeer', 'ultrapeer');
    host.leaves = this.#link(host, answer.leaves, 'leaf', 'leaf');
    for (const other of answer.others) this.#meet(other);
  }

  /** How many different ones it named. */
  #link(host: Known, named: readonly Endpoint[], kind: CrawledEdge['kind'], role: PeerRole): number {
    const seen = new Set<Known>();
    for (const endpoint of named) {
      const neighbour = this.#meet(endpoint);
      if (neighbour === null || neighbour === host || seen.has(neighbour)) continue;
      seen.add(neighbour);
      if (neighbour.toldRole === '') neighbour.toldRole = role;
      this.#join(host, neighbour, kind);
    }
    return seen.size;
  }

  #join(host: Known, neighbour: Known, kind: CrawledEdge['kind']): void {
    const [a, b] = [host.address, neighbour.address].sort();
    const key = `${a} ${b}`;
    const edge = this.#edges.get(key);
    if (edge !== undefined) {
      if (edge.host !== host) edge.both = true;
      if (kind === 'leaf') edge.kind = 'leaf';
    } else if (this.#edges.size >= EDGES_MAX) this.#beyond++;
    else this.#edges.set(key, { host, neighbour, kind, both: false });
  }
}

function resultOf({ endpoint: _, state, toldRole, role, ways: _ways, askedAt: _at, ...host }: Known): CrawledHost {
  const isOpen = state === 'waiting' || state === 'asked';
  return {
    ...host,
    role: role || toldRole,
    state: isOpen ? 'left_out' : state,
    why: isOpen ? 'not_reached' : host.why,
  };
}
