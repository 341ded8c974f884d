// A lookup of Kademlia: which of the nodes that it has heard of is asked next for nodes nearer to the target, and when it is over. What it
// learns from others is bounded and doubted: see offer().
import { ReasonCounts } from '../reason-counts.ts';
import { type Endpoint, endpointKey, isIpv6, type Reach, reachOf } from '../wire/endpoint.ts';
import { K } from './bucket.ts';
import { crowded } from './crowding.ts';
import type { DhtContact } from './dht-contact.ts';
import { commonBits, compareDistance, kuidKey } from './kuid.ts';
import { NetworkCounts } from './network-limits.ts';

/** Requests of a lookup at one time. */
export const ALPHA = 3;
const LOOKUP_MS = 120_000;
const CANDIDATES_MAX = 256;
/** Silent nodes that are asked once more, since one datagram may have been lost. */
const SECOND_TRIES_MAX = K;
const TRIES_MAX = 2;
/** Of one message, from the nearest. */
const CONTACTS_MAX = 20;

/** What a node that was asked did; `another`: a node of another KUID answered; `unsent`: too many requests were on their way. */
export type AskEnd = 'nodes' | 'values' | 'silent' | 'another' | 'firewalled' | 'unsent';

/** `silent`: has not answered, and may be asked once more. */
export type CandidateState = 'new' | 'asked' | 'answered' | 'silent' | 'failed';

export interface Candidate {
  readonly contact: DhtContact;
  /** Requests one after the other until it answers; 1 for nodes of our table. */
  readonly hop: number;
  /** The node whose answer named it first; null: our table did. */
  readonly via: Candidate | null;
  /** From the request to its answer; 0 before. */
  ms: number;
  state: CandidateState;
  /** Requests to it. */
  tries: number;
  /** From the start of the lookup to the first of them. */
  askedMs: number;
  /** Null: it has not been asked, or the lookup ended before. */
  end: AskEnd | null;
  /** Nodes that it named, and those among them that the lookup had not heard of. */
  named: number;
  news: number;
  /** With which it lets us store values. */
  token: Buffer | null;
}

/** Why a contact that somebody named is not asked. */
export const DOUBTS = ['address', 'refused', 'own_kuid', 'too_near', 'asked', 'silent', 'network', 'crowded'] as const;
export type Doubt = (typeof DOUBTS)[number];

export interface LookupOptions {
  readonly target: Buffer;
  readonly own: Buffer;
  readonly reaches: readonly Reach[];
  /** Blocked addresses, and our own. */
  readonly refuses: (endpoint: Endpoint) => boolean;
  /** Nodes of one network that are asked. */
  readonly ofNetworkMax: number;
  /** Nodes that share more leading bits with the target are impostors; null: the target is a node itself. */
  readonly commonBitsMax: number | null;
}

export class Lookup {
  readonly target: Buffer;
  readonly startedAt: number;
  readonly #options: LookupOptions;
  readonly #networks: NetworkCounts;
  /** Nearest first. */
  readonly #candidates: Candidate[] = [];
  readonly #known = new Set<string>();
  /** Addresses that were asked: none is asked twice, whatever KUIDs it is said to have. */
  readonly #addresses = new Set<string>();
  /** Those that were asked, in order. */
  readonly asks: Candidate[] = [];
  /** Requests. */
  asked = 0;
  /** First requests to nodes that wait for their answers. */
  inFlight = 0;
  /** Contacts that were not believed. */
  readonly doubts = new ReasonCounts(DOUBTS);
  #secondTries = 0;
  /** When a candidate that was asked lately by another lookup may be asked; Infinity: none waits. */
  wakeAt = Number.POSITIVE_INFINITY;

  constructor(options: LookupOptions, now: number) {
    this.target = options.target;
    this.#options = options;
    this.#networks = new NetworkCounts(options.ofNetworkMax);
    this.startedAt = now;
  }

  get deadline(): number {
    return this.startedAt + LOOKUP_MS;
  }

  /** Contacts to choose from; those that another node sent may be invented. */
  offer(contacts: readonly DhtContact[], via: Candidate | null = null): void {
    const hop = (via?.hop ?? 0) + 1;
    for (const contact of contacts.slice(0, CONTACTS_MAX)) {
      const key = kuidKey(contact.kuid);
      if (this.#known.has(key)) continue;
      const doubt = this.#doubtOf(contact);
      if (doubt !== null) this.doubts.count(doubt);
      else this.#insert(contact, hop, via, key);
    }
  }

  #doubtOf({ kuid, endpoint }: DhtContact): Doubt | null {
    const { own, reaches, refuses, commonBitsMax, target } = this.#options;
    if (endpoint.port === 0 || isIpv6(endpoint.host) || !reaches.includes(reachOf(endpoint.host))) return 'address';
    if (refuses(endpoint)) return 'refused';
    if (kuid.equals(own)) return 'own_kuid';
    return commonBitsMax !== null && commonBits(kuid, target) > commonBitsMax ? 'too_near' : null;
  }

  #insert(contact: DhtContact, hop: number, via: Candidate | null, key: string): void {
    const list = this.#candidates;
    let [low, high] = [0, list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = list[middle] as Candidate;
      if (compareDistance(this.target, other.contact.kuid, contact.kuid) < 0) low = middle + 1;
      else high = middle;
    }
    if (list.length >= CANDIDATES_MAX) {
      const last = list.at(-1) as Candidate;
      if (low === list.length || last.state === 'asked' || last.state === 'answered') return;
      list.pop();
      this.#known.delete(kuidKey(last.contact.kuid));
    }
    list.splice(low, 0, fresh(contact, hop, via));
    this.#known.add(key);
  }

  /**
   * The node that is to be asked now, or null: wait for answers, or until `wakeAt`. `admitsAt` says from when on a host may be asked; Infinity: never.
   * Only the k nearest that have not failed are asked: the others cannot be among the result. Silent ones are asked again when nobody else
   * is left, for most of them are gone.
   */
  next(now: number, admitsAt: (endpoint: Endpoint) => number): Candidate | null {
    this.wakeAt = Number.POSITIVE_INFINITY;
    const isBusy = this.inFlight >= ALPHA;
    let alive = 0;
    let left = false;
    for (const candidate of this.#candidates) {
      if (alive >= K) break;
      if (candidate.state === 'failed' || candidate.state === 'silent') continue;
      alive++;
      if (candidate.state !== 'new') continue;
      const { endpoint } = candidate.contact;
      const at = admitsAt(endpoint);
      const doubt = this.#addresses.has(endpointKey(endpoint)) ? 'asked' : this.#reasonAgainst(endpoint, at);
      if (doubt !== null) {
        candidate.state = 'failed';
        this.doubts.count(doubt);
        alive--;
        continue;
      }
      left = true;
      if (isBusy) break;
      if (at <= now) {
        this.#ask(candidate, now);
        return candidate;
      }
      this.wakeAt = Math.min(this.wakeAt, at);
    }
    return left ? null : this.#nextSilent(now, admitsAt);
  }

  /** A silent one that is nearer than the k nearest others. */
  #nextSilent(now: number, admitsAt: (endpoint: Endpoint) => number): Candidate | null {
    let alive = 0;
    for (const candidate of this.#candidates) {
      if (alive >= K) break;
      if (candidate.state === 'asked' || candidate.state === 'answered') alive++;
      if (candidate.state !== 'silent') continue;
      const { endpoint } = candidate.contact;
      const mayBeAsked = this.#reasonAgainst(endpoint, admitsAt(endpoint)) === null;
      if (mayBeAsked && this.#secondTries < SECOND_TRIES_MAX) {
        this.#secondTries++;
        this.#ask(candidate, now);
        return candidate;
      }
      candidate.state = 'failed';
    }
    return null;
  }

  #reasonAgainst({ host }: Endpoint, admitsAt: number): Doubt | null {
    if (admitsAt === Number.POSITIVE_INFINITY) return 'silent';
    return this.#networks.hasRoom(host) ? null : 'network';
  }

  #ask(candidate: Candidate, now: number): void {
    candidate.state = 'asked';
    if (candidate.tries++ === 0) {
      candidate.askedMs = now - this.startedAt;
      this.asks.push(candidate);
    }
    this.asked++;
    if (candidate.tries === 1) this.inFlight++;
    this.#addresses.add(endpointKey(candidate.contact.endpoint));
    this.#networks.add(candidate.contact.endpoint.host);
  }

  /** `contacts` of its answer, and its token if there was one. */
  answered(candidate: Candidate, contacts: readonly DhtContact[], token: Buffer | null): void {
    if (candidate.tries === 1) this.inFlight--;
    candidate.state = 'answered';
    candidate.end = 'nodes';
    candidate.token = token;
    candidate.named = contacts.length;
    const before = this.#known.size;
    this.offer(contacts, candidate);
    candidate.news = Math.max(0, this.#known.size - before);
  }

  /** It has values. */
  answeredValues(candidate: Candidate): void {
    this.answered(candidate, [], null);
    candidate.end = 'values';
  }

  /** It counts no more, unless it was silent and may be asked again. */
  failed(candidate: Candidate, end: AskEnd): void {
    if (candidate.tries === 1) this.inFlight--;
    candidate.end = end;
    candidate.state = end === 'silent' && candidate.tries < TRIES_MAX ? 'silent' : 'failed';
    this.#networks.remove(candidate.contact.endpoint.host);
  }

  /** The k nearest have answered, or there is nobody left to ask, or the time is up. */
  isOver(now: number): boolean {
    if (now >= this.deadline) return true;
    let alive = 0;
    for (const { state } of this.#candidates) {
      if (state === 'failed') continue;
      if (state !== 'answered') return false;
      if (++alive >= K) return true;
    }
    return true;
  }

  /**
   * Leaves those out that lie too densely around the target for a network of that size. True: others have to be asked in their place.
   * Called when it is over.
   */
  thin(networkSize: number): boolean {
    if (this.#options.commonBitsMax === null) return false;
    const nearest = this.nearest();
    const bits = nearest.map(({ contact }) => commonBits(contact.kuid, this.target));
    const left = crowded(bits, networkSize);
    for (const index of left) (nearest[index] as Candidate).state = 'failed';
    this.doubts.count('crowded', left.length);
    return left.length > 0;
  }

  /** Those that answered, nearest first, k at most. */
  nearest(): Candidate[] {
    return this.#candidates.filter(({ state }) => state === 'answered').slice(0, K);
  }
}

/** Keeps a copy: a contact of a message is a view of it. */
function fresh({ kuid, endpoint, vendor, version }: DhtContact, hop: number, via: Candidate | null): Candidate {
  const contact = { kuid: Buffer.from(kuid), endpoint, vendor, version };
  const asked = { ms: 0, tries: 0, askedMs: 0, end: null, named: 0, news: 0, token: null };
  return { contact, hop, via, state: 'new', ...asked };
}

/** The nodes that were asked one after the other until the last one was known, which is the end. */
export function pathTo(last: Candidate): Candidate[] {
  const path: Candidate[] = [];
  for (let at: Candidate | null = last; at !== null; at = at.via) path.push(at);
  return path.reverse();
}
