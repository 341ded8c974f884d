// Peers that hold on to super-peers, and come back all at once when many of these are lost: without limits those that are left are
// overloaded and fail too.
import { Network } from './network.ts';
import type { SeededRandom } from './seeded-random.ts';

type Message = { readonly kind: 'log in' | 'accept' | 'refuse' };

export interface LoginStormOptions {
  readonly peers: number;
  readonly superPeers: number;
  readonly random: SeededRandom;
  /** Peers that a super-peer takes, and logins that it can answer in a second. */
  readonly capacity: number;
  readonly loginsPerSecond: number;
  /** Refuses above its logins a second, rather than fail. */
  readonly withAdmission: boolean;
  /** Each attempt that failed doubles the wait of the next, up to 5 minutes. */
  readonly withBackoff: boolean;
  /** Of mega-supernodes, which come at that moment and are as strong as ten super-peers. */
  readonly megas: number;
  readonly megasAtMs: number;
}

const WINDOW_MS = 10_000;
const RETRY_MS = 10_000;
const RETRY_MOST_MS = 300_000;
const ANSWER_MS = 5000;
/** Until a super-peer that failed under load is there again. */
const RESTART_MS = 600_000;
const MEGA = 10;

/** Peers come first, then super-peers, then mega-supernodes, which are down until they are brought in. */
export class LoginStorm {
  readonly network: Network<Message>;
  /** Super-peers that failed under load, again and again. */
  overloaded = 0;
  online = 0;
  readonly #options: LoginStormOptions;
  /** The super-peer that each peer is logged in to; -1: none. */
  readonly #home: Int32Array;
  readonly #waits: Float64Array;
  /** Attempts of each peer: an answer to an earlier one is late. */
  readonly #attempt: Uint32Array;
  readonly #members: Set<number>[];
  /** Of the window that runs: logins that were asked for and accepted. */
  readonly #asked: Uint32Array;
  readonly #accepted: Uint32Array;
  #choices: number;

  constructor(options: LoginStormOptions) {
    const { peers, superPeers, megas, megasAtMs, random } = options;
    const supers = superPeers + megas;
    this.#options = options;
    this.network = new Network({ nodes: peers + supers, random: random.fork() });
    this.#home = new Int32Array(peers).fill(-1);
    this.#waits = new Float64Array(peers).fill(RETRY_MS);
    this.#attempt = new Uint32Array(peers);
    this.#members = Array.from({ length: supers }, () => new Set());
    this.#asked = new Uint32Array(supers);
    this.#accepted = new Uint32Array(supers);
    this.#choices = superPeers;
    this.network.onMessage = (to, { kind }, from) => {
      if (kind === 'log in') this.#onLogin(to - peers, from);
      else this.#onAnswer(to, kind === 'accept', from - peers);
    };
    for (let peer = 0; peer < peers; peer++) this.#take(peer % superPeers, peer);
    for (let mega = superPeers; mega < supers; mega++) this.network.fail(peers + mega);
    if (megas > 0)
      this.network.after(megasAtMs, () => {
        for (let mega = superPeers; mega < supers; mega++) this.network.revive(peers + mega);
        this.#choices = supers;
      });
    this.network.after(WINDOW_MS, () => this.#endWindow());
  }

  #strength(superPeer: number): number {
    return superPeer < this.#options.superPeers ? 1 : MEGA;
  }

  #take(superPeer: number, peer: number): void {
    this.#home[peer] = superPeer;
    this.#members[superPeer]?.add(peer);
    this.#waits[peer] = RETRY_MS;
    this.online++;
  }

  #logIn(peer: number): void {
    if (this.#home[peer] !== -1) return;
    const attempt = (this.#attempt[peer] ?? 0) + 1;
    this.#attempt[peer] = attempt;
    const superPeer = this.#options.random.below(this.#choices);
    this.network.send(peer, this.#options.peers + superPeer, { kind: 'log in' });
    this.network.after(ANSWER_MS, () => {
      if (this.#attempt[peer] === attempt) this.#retry(peer);
    });
  }

  #retry(peer: number): void {
    this.#attempt[peer] = (this.#attempt[peer] ?? 0) + 1;
    const { withBackoff, random } = this.#options;
    const wait = this.#waits[peer] ?? RETRY_MS;
    if (withBackoff) this.#waits[peer] = Math.min(2 * wait, RETRY_MOST_MS);
    this.network.after(wait * (withBackoff ? 0.5 + random.float() : 1), () => this.#logIn(peer));
  }

  #onLogin(superPeer: number, peer: number): void {
    const { peers, capacity, loginsPerSecond, withAdmission } = this.#options;
    const strength = this.#strength(superPeer);
    this.#asked[superPeer] = (this.#asked[superPeer] ?? 0) + 1;
    const room = (this.#members[superPeer]?.size ?? 0) < capacity * strength;
    const accepted = this.#accepted[superPeer] ?? 0;
    const inTime = accepted < (loginsPerSecond * strength * WINDOW_MS) / 1000;
    if (room && inTime) {
      this.#accepted[superPeer] = accepted + 1;
      if (this.#home[peer] === -1) this.#take(superPeer, peer);
      this.network.send(peers + superPeer, peer, { kind: 'accept' });
    } else if (withAdmission || inTime) this.network.send(peers + superPeer, peer, { kind: 'refuse' });
  }

  #onAnswer(peer: number, accepted: boolean, superPeer: number): void {
    this.#attempt[peer] = (this.#attempt[peer] ?? 0) + 1;
    if (!accepted || this.#home[peer] !== superPeer) if (this.#home[peer] === -1) this.#retry(peer);
  }

  /** A super-peer that was asked for more than twice what it can answer fails, unless it refuses. */
  #endWindow(): void {
    const { peers, loginsPerSecond, withAdmission } = this.#options;
    for (const [superPeer, asked] of this.#asked.entries()) {
      const most = (2 * loginsPerSecond * this.#strength(superPeer) * WINDOW_MS) / 1000;
      if (asked > most && !withAdmission && this.network.isUp(peers + superPeer)) {
        this.overloaded++;
        this.lose(superPeer);
        this.network.after(RESTART_MS, () => this.network.revive(peers + superPeer));
      }
    }
    this.#asked.fill(0);
    this.#accepted.fill(0);
    this.network.after(WINDOW_MS, () => this.#endWindow());
  }

  /** Its peers notice within ten seconds, and log in elsewhere. */
  lose(superPeer: number): void {
    this.network.fail(this.#options.peers + superPeer);
    const members = this.#members[superPeer] ?? new Set<number>();
    for (const peer of members) {
      this.#home[peer] = -1;
      this.online--;
      this.network.after(this.#options.random.float() * 10_000, () => this.#logIn(peer));
    }
    members.clear();
  }

  get share(): number {
    return this.online / this.#options.peers;
  }
}
