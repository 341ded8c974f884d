// The nodes of Kademlia (Maymounkov and Mazières, IPTPS 2002): the distance of two identifiers is their exclusive or. A node keeps a bucket of up to
// k contacts for each length of the prefix that it shares with them, and asks alpha nodes at a time for ones that are closer to a key.
import { log2 } from '../exact-math.ts';
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { SharedFiles } from '../workload/shared-files.ts';
import { closestByXor, countBelow, NOBODY } from './identifiers.ts';
import type { Probe } from './key-overlay.ts';
import { type FilePayload, type FoundMessage, KeyedFiles } from './keyed-files.ts';

type Message =
  | FoundMessage
  | { readonly kind: 'find'; readonly request: number; readonly key: number; readonly file: number | null }
  | {
      readonly kind: 'nodes';
      readonly request: number;
      readonly nodes: readonly number[];
      readonly holders: readonly number[];
    }
  | { readonly kind: 'store'; readonly payload: FilePayload };

/** A node that a look-up knows of. */
interface Candidate {
  readonly node: number;
  readonly distance: number;
  /** Requests one after the other that it took to learn of it. */
  readonly depth: number;
  state: 'new' | 'asked' | 'answered' | 'silent';
}

interface LookUp {
  readonly from: number;
  readonly key: number;
  /** The file whose holders are wanted; null: the closest nodes are. */
  readonly file: number | null;
  /** Closest first. */
  candidates: Candidate[];
  readonly onEnd: (closest: readonly Candidate[], holders: readonly number[]) => void;
  ended: boolean;
}

export interface KademliaOptions {
  /** Ascending. */
  readonly ids: Uint32Array;
  readonly random: SeededRandom;
  /** Contacts in a bucket, and nodes that keep a value. */
  readonly k?: number;
  /** Requests of a look-up at one time. */
  readonly alpha?: number;
  readonly files?: SharedFiles | undefined;
  readonly refreshMs?: number;
}

const ANSWER_MS = 500;

export class KademliaNodes {
  readonly network: Network<Message>;
  readonly files: KeyedFiles | null;
  readonly ids: Uint32Array;
  readonly #k: number;
  readonly #alpha: number;
  readonly #refreshMs: number;
  readonly #random: SeededRandom;
  readonly #buckets: number;
  /** Of each bucket of each node, up to k contacts, the one that was seen longest ago first. */
  readonly #contacts: Uint32Array;
  readonly #counts: Uint8Array;
  /** Of each bucket, the last one that it had no room for (the paper's section 4.1). */
  readonly #replacements: Uint32Array;
  readonly #isMember: Uint8Array;
  readonly #sessions: Uint16Array;
  /** What becomes of an answer, by number of the request. */
  readonly #requests = new Map<number, (message: Message) => void>();
  #lastRequest = 0;

  constructor({ ids, random, k = 20, alpha = 3, files, refreshMs = 300_000 }: KademliaOptions) {
    const nodes = ids.length;
    this.network = new Network({ nodes, random: random.fork() });
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
    this.ids = ids;
    this.#k = k;
    this.#alpha = alpha;
    this.#refreshMs = refreshMs;
    this.#random = random.fork();
    this.#buckets = Math.min(32, Math.ceil(log2(Math.max(2, nodes / k))) + 3);
    this.#contacts = new Uint32Array(nodes * this.#buckets * k);
    this.#counts = new Uint8Array(nodes * this.#buckets);
    this.#replacements = new Uint32Array(nodes * this.#buckets).fill(NOBODY);
    this.#isMember = new Uint8Array(nodes).fill(1);
    this.#sessions = new Uint16Array(nodes);
    const route = (from: number, key: number, payload: FilePayload): void => this.#carry(from, key, payload);
    this.files = files === undefined ? null : new KeyedFiles({ files, route, network: this.network });
    this.#found(0, nodes, 0, 0);
  }

  /** Fills the buckets that refreshing would fill, of nodes[from] to nodes[to - 1], which share so many bits. */
  #found(from: number, to: number, bit: number, prefix: number): void {
    if (to - from < 2) return;
    if (bit === this.#buckets - 1) {
      for (let node = from; node < to; node++) this.#fill(node, bit, from, to);
      return;
    }
    const half = prefix + 2 ** (31 - bit);
    const middle = countBelow(this.ids, half, from, to);
    for (let node = from; node < to; node++)
      if (node < middle) this.#fill(node, bit, middle, to);
      else this.#fill(node, bit, from, middle);
    this.#found(from, middle, bit + 1, prefix);
    this.#found(middle, to, bit + 1, half);
  }

  /** Puts up to k of nodes[from] to nodes[to - 1] into a bucket, evenly from all of them. */
  #fill(node: number, bucket: number, from: number, to: number): void {
    const size = to - from;
    const count = Math.min(this.#k, size);
    const start = this.#random.float();
    for (let i = 0; i < count; i++) {
      const contact = from + Math.floor(((i + start) * size) / count);
      if (contact !== node) this.#append(node, bucket, contact);
    }
  }

  #append(node: number, bucket: number, contact: number): void {
    const place = node * this.#buckets + bucket;
    const count = this.#counts[place] ?? 0;
    this.#contacts[place * this.#k + count] = contact;
    this.#counts[place] = count + 1;
  }

  #bucketOf(node: number, id: number): number {
    return Math.min(this.#buckets - 1, Math.clz32((this.#id(node) ^ id) >>> 0));
  }

  /** The one seen longest ago first; a view. */
  bucket(node: number, bucket: number): Uint32Array {
    const place = node * this.#buckets + bucket;
    return this.#contacts.subarray(place * this.#k, place * this.#k + (this.#counts[place] ?? 0));
  }

  #id(node: number): number {
    return this.ids[node] ?? 0;
  }

  isMember(node: number): boolean {
    return this.network.isUp(node) && this.#isMember[node] === 1;
  }

  ownerOf(key: number): number {
    return this.closest(key, 1)[0] ?? NOBODY;
  }

  hasFilesOf(node: number, key: number): boolean {
    return this.closest(key).includes(node);
  }

  /** The members closest to the key, by all that the simulation knows. */
  closest(key: number, count = this.#k): number[] {
    return closestByXor(this.ids, key, count, node => this.isMember(node));
  }

  /** Up to k nodes that the node knows, closest to the key first. */
  #known(node: number, key: number): number[] {
    const nearest = this.#bucketOf(node, key);
    const known: number[] = [...this.bucket(node, nearest)]; // closer to the key than those of any other bucket
    const isFull = known.length === this.#k;
    for (let bucket = nearest + 1; bucket < this.#buckets && !isFull; bucket++)
      known.push(...this.bucket(node, bucket));
    for (let bucket = nearest - 1; bucket >= 0 && known.length < this.#k; bucket--)
      known.push(...this.bucket(node, bucket));
    return known.sort((a, b) => this.#distance(a, key) - this.#distance(b, key)).slice(0, this.#k);
  }

  #distance(node: number, key: number): number {
    return (this.#id(node) ^ key) >>> 0;
  }

  /** A message of the contact has come: it is the last of its bucket now. A full bucket keeps it for when one of its own is silent. */
  #seen(node: number, contact: number): void {
    if (node === contact) return;
    const bucket = this.#bucketOf(node, this.#id(contact));
    const contacts = this.bucket(node, bucket);
    const at = contacts.indexOf(contact);
    if (at >= 0) {
      contacts.copyWithin(at, at + 1);
      contacts[contacts.length - 1] = contact;
    } else if (contacts.length < this.#k) this.#append(node, bucket, contact);
    else this.#replacements[node * this.#buckets + bucket] = contact;
  }

  #forget(node: number, contact: number): void {
    const bucket = this.#bucketOf(node, this.#id(contact));
    const contacts = this.bucket(node, bucket);
    const at = contacts.indexOf(contact);
    if (at < 0) return;
    contacts.copyWithin(at, at + 1);
    const place = node * this.#buckets + bucket;
    this.#counts[place] = contacts.length - 1;
    const replacement = this.#replacements[place] ?? NOBODY;
    this.#replacements[place] = NOBODY;
    if (replacement !== NOBODY && replacement !== contact) this.#append(node, bucket, replacement);
  }

  /** Sends a request; without an answer in time the contact is forgotten, and the answer is null. */
  #ask(
    node: number,
    to: number,
    { key, file }: { key: number; file: number | null },
    onAnswer: (answer: Message | null) => unknown,
  ): void {
    const request = ++this.#lastRequest;
    this.#requests.set(request, onAnswer);
    this.network.send(node, to, { kind: 'find', request, key, file });
    this.network.after(ANSWER_MS, () => {
      if (!this.#requests.delete(request) || !this.network.isUp(node)) return;
      this.#forget(node, to);
      onAnswer(null);
    });
  }

  #receive(to: number, message: Message, from: number): void {
    if (message.kind === 'found') return;
    if (!this.isMember(to) && message.kind !== 'nodes') return;
    this.#seen(to, from);
    if (message.kind === 'store') this.files?.deliver(to, from, message.payload);
    else if (message.kind === 'find') {
      const { request, key, file } = message;
      const holders = file === null ? [] : (this.files?.holdersAt(to, file) ?? []);
      const nodes = holders.length > 0 ? [] : this.#known(to, key);
      this.network.send(to, from, { kind: 'nodes', request, nodes, holders });
    } else {
      const onAnswer = this.#requests.get(message.request);
      this.#requests.delete(message.request);
      onAnswer?.(message);
    }
  }

  #candidate(node: number, key: number, depth: number): Candidate {
    return { node, distance: this.#distance(node, key), depth, state: 'new' };
  }

  #lookUp(from: number, key: number, file: number | null, onEnd: LookUp['onEnd']): void {
    const candidates = this.#known(from, key).map(node => this.#candidate(node, key, 1));
    this.#go({ from, key, file, candidates, onEnd, ended: false });
  }

  /** Asks further of the k closest, alpha at a time; ends when all of them have answered. */
  #go(lookUp: LookUp): void {
    if (lookUp.ended) return;
    const closest = lookUp.candidates.filter(({ state }) => state !== 'silent').slice(0, this.#k);
    let free = this.#alpha - closest.filter(({ state }) => state === 'asked').length;
    for (const candidate of closest) {
      if (free <= 0 || candidate.state !== 'new') continue;
      free--;
      candidate.state = 'asked';
      const { from, key, file } = lookUp;
      this.#ask(from, candidate.node, { key, file }, answer => this.#onAnswer(lookUp, candidate, answer));
    }
    if (closest.every(({ state }) => state === 'answered')) this.#end(lookUp, []);
  }

  #end(lookUp: LookUp, holders: readonly number[]): void {
    lookUp.ended = true;
    lookUp.onEnd(lookUp.candidates.filter(({ state }) => state === 'answered').slice(0, this.#k), holders);
  }

  #onAnswer(lookUp: LookUp, candidate: Candidate, answer: Message | null): void {
    candidate.state = answer === null ? 'silent' : 'answered';
    if (lookUp.ended) return;
    if (answer?.kind === 'nodes') {
      if (answer.holders.length > 0) {
        this.#end(lookUp, answer.holders);
        return;
      }
      const known = new Set(lookUp.candidates.map(({ node }) => node)).add(lookUp.from);
      for (const node of answer.nodes)
        if (!known.has(node)) lookUp.candidates.push(this.#candidate(node, lookUp.key, candidate.depth + 1));
      lookUp.candidates.sort((a, b) => a.distance - b.distance);
      lookUp.candidates = lookUp.candidates.filter(({ state }, i) => i < 2 * this.#k || state !== 'new');
    }
    this.#go(lookUp);
  }

  /** What the shared files want carried: an announcement is stored at the k closest nodes, a search ends at the first that knows. */
  #carry(from: number, key: number, payload: FilePayload): void {
    if (payload.kind === 'find') {
      const { search, file } = payload;
      const own = this.files?.holdersAt(from, file) ?? [];
      if (own.length > 0) this.files?.onFound(from, { kind: 'found', search, holders: own });
      else this.#lookUp(from, key, file, (_, holders) => this.files?.onFound(from, { kind: 'found', search, holders }));
      return;
    }
    this.#lookUp(from, key, null, closest => {
      const nodes = [...closest.map(({ node }) => node), from];
      nodes.sort((a, b) => this.#distance(a, key) - this.#distance(b, key));
      for (const node of nodes.slice(0, this.#k))
        if (node === from) this.files?.deliver(from, from, payload);
        else this.network.send(from, node, { kind: 'store', payload });
    });
  }

  probe(from: number, key: number): Probe {
    const probe: Probe = { at: null, hops: 0, ms: 0, isRight: false };
    const begun = this.network.now;
    this.#lookUp(from, key, null, ([first]) => {
      const isOwn = first === undefined || this.#distance(from, key) < this.#distance(first.node, key);
      const at = isOwn ? from : first.node;
      Object.assign(probe, {
        at,
        hops: isOwn ? 0 : first.depth,
        ms: this.network.now - begun,
        isRight: at === this.ownerOf(key),
      });
    });
    return probe;
  }

  /** The node begins anew with one contact: it looks its own identifier up, and some key of each bucket before its nearest node's. */
  join(node: number, known: number): void {
    this.#sessions[node] = (this.#sessions[node] ?? 0) + 1;
    this.#isMember[node] = 0;
    this.#counts.fill(0, node * this.#buckets, (node + 1) * this.#buckets);
    this.#replacements.fill(NOBODY, node * this.#buckets, (node + 1) * this.#buckets);
    this.#seen(node, known);
    this.#lookUp(node, this.#id(node), null, ([nearest]) => {
      if (nearest === undefined) return;
      this.#isMember[node] = 1;
      const last = this.#bucketOf(node, this.#id(nearest.node));
      for (let bucket = 0; bucket < last; bucket++) this.#refresh(node, bucket);
      this.#keepRefreshing(node);
    });
  }

  #refresh(node: number, bucket: number): void {
    const key = (this.#id(node) ^ (2 ** (31 - bucket)) ^ (this.#random.next() & (2 ** (31 - bucket) - 1))) >>> 0;
    this.#lookUp(node, key, null, () => undefined);
  }

  /** From now on each member refreshes one of its buckets now and then. */
  keepUp(): void {
    for (let node = 0; node < this.ids.length; node++) if (this.isMember(node)) this.#keepRefreshing(node);
  }

  #keepRefreshing(node: number): void {
    const session = this.#sessions[node];
    this.network.every(node, this.#refreshMs, () => {
      if (this.#sessions[node] !== session) return false;
      this.#refresh(node, this.#random.below(this.#buckets));
      return true;
    });
  }
}
