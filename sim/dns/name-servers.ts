// The domain name system: a tree of name servers, root, top level and zones, and resolvers that walk down it for their clients and keep what
// they hear for its time to live (RFC 1034, section 5.3.3).
import { Network } from '../network.ts';
import type { SeededRandom } from '../seeded-random.ts';

type Message =
  | { readonly kind: 'query'; readonly id: number; readonly name: number; readonly recursive: boolean }
  /** Null: the name cannot be resolved. */
  | { readonly kind: 'answer'; readonly id: number; readonly name: number; readonly address: number | null }
  /** These servers know more: of the top level or of the zone of the name. */
  | { readonly kind: 'referral'; readonly id: number; readonly name: number; readonly to: 'top level' | 'zone' };

export interface NameServersOptions {
  readonly random: SeededRandom;
  readonly clients: number;
  readonly resolvers: number;
  readonly roots: number;
  readonly topLevels: number;
  readonly zones: number;
  /** Seconds that an answer, and that a referral, is kept; 0: neither is kept. */
  readonly ttl: number;
  readonly referralTtl: number;
  /** Servers ask on for the resolver. */
  readonly recursive: boolean;
  readonly addressOf: (name: number) => number | null;
}

interface Question {
  readonly at: number;
  readonly name: number;
  readonly from: number;
  readonly id: number;
  /** Servers that were asked and were silent. */
  readonly silent: Set<number>;
  attempt: number;
}

interface Kept {
  readonly until: number;
  readonly address: number | null;
}

const SILENT_MS = 2_000;
const ATTEMPTS = 4;

/** Clients come first, then resolvers, roots, servers of top levels, servers of zones. A name is a number; its zone is that modulo the zones. */
export class NameServers {
  readonly network: Network<Message>;
  readonly firstResolver: number;
  readonly firstRoot: number;
  readonly firstTopLevel: number;
  readonly firstZone: number;
  /** Called at a client. */
  onAnswer: (id: number, address: number | null) => void = () => undefined;
  readonly #options: NameServersOptions;
  readonly #random: SeededRandom;
  readonly #questions = new Map<number, Question>();
  /** What each resolver keeps, by what it is of. */
  readonly #caches = new Map<number, Map<string, Kept>>();
  #ids = 0;

  constructor(options: NameServersOptions) {
    const { random, clients, resolvers, roots, topLevels, zones } = options;
    this.#options = options;
    this.#random = random.fork();
    this.firstResolver = clients;
    this.firstRoot = clients + resolvers;
    this.firstTopLevel = this.firstRoot + roots;
    this.firstZone = this.firstTopLevel + topLevels;
    this.network = new Network({ nodes: this.firstZone + zones, random: random.fork() });
    this.network.onMessage = (to, message, from) => this.#receive(to, message, from);
  }

  zoneServer(name: number): number {
    return this.firstZone + (name % this.#options.zones);
  }

  topLevelServer(name: number): number {
    return this.firstTopLevel + ((name % this.#options.zones) % this.#options.topLevels);
  }

  /** A client asks its resolver; returns the number that `onAnswer` tells. */
  ask(client: number, name: number): number {
    const id = this.#ids++;
    const resolver = this.firstResolver + (client % this.#options.resolvers);
    this.network.send(client, resolver, { kind: 'query', id, name, recursive: true });
    return id;
  }

  #receive(to: number, message: Message, from: number): void {
    if (message.kind === 'query') {
      this.#onQuery(to, message, from);
      return;
    }
    if (to < this.firstResolver) {
      if (message.kind === 'answer') this.onAnswer(message.id, message.address);
      return;
    }
    const question = this.#questions.get(message.id);
    if (question === undefined || question.at !== to) return;
    if (message.kind === 'referral') {
      if (message.to === 'top level') this.#keep(to, topLevelKey(this.topLevelServer(question.name)), from);
      else this.#keep(to, zoneKey(this.zoneServer(question.name)), from);
      this.#walk(message.id, question, this.#serverBelow(question.name, message.to));
      return;
    }
    if (to < this.firstRoot && message.address !== null) this.#keep(to, nameKey(question.name), message.address);
    this.#answer(message.id, question, message.address);
  }

  #onQuery(at: number, { id, name, recursive }: { id: number; name: number; recursive: boolean }, from: number): void {
    if (at >= this.firstZone) {
      const address = this.zoneServer(name) === at ? this.#options.addressOf(name) : null;
      this.network.send(at, from, { kind: 'answer', id, name, address });
    } else if (at < this.firstRoot || recursive) {
      const question: Question = { at, name, from, id, silent: new Set(), attempt: 0 };
      const own = this.#ids++;
      this.#questions.set(own, question);
      const kept = at < this.firstRoot ? this.#kept(at, nameKey(name)) : null;
      if (kept !== null) this.#answer(own, question, kept.address);
      else this.#walk(own, question, this.#nearestServer(question));
    } else
      this.network.send(at, from, { kind: 'referral', id, name, to: at < this.firstTopLevel ? 'top level' : 'zone' });
  }

  #serverBelow(name: number, level: 'top level' | 'zone'): number {
    return level === 'zone' ? this.zoneServer(name) : this.topLevelServer(name);
  }

  /** The one that knows most of the name, of those that the node knows; a root server that was not silent, else. Null: none is left. */
  #nearestServer({ at, name, silent }: Question): number | null {
    if (at >= this.firstTopLevel) return this.zoneServer(name);
    if (at >= this.firstRoot) return this.topLevelServer(name);
    if (this.#kept(at, zoneKey(this.zoneServer(name))) !== null) return this.zoneServer(name);
    if (this.#kept(at, topLevelKey(this.topLevelServer(name))) !== null) return this.topLevelServer(name);
    const roots = Array.from({ length: this.#options.roots }, (_, i) => this.firstRoot + i);
    const left = roots.filter(root => !silent.has(root));
    return left.length === 0 ? null : this.#random.pick(left);
  }

  #walk(id: number, question: Question, server: number | null): void {
    if (server === null || question.attempt >= ATTEMPTS + question.silent.size) {
      this.#answer(id, question, null);
      return;
    }
    const { at, name } = question;
    const attempt = ++question.attempt;
    this.network.send(at, server, { kind: 'query', id, name, recursive: this.#options.recursive });
    this.network.after(SILENT_MS * (this.#options.recursive ? 4 : 1), () => {
      if (this.#questions.get(id) !== question || question.attempt !== attempt) return;
      const isRoot = server >= this.firstRoot && server < this.firstTopLevel;
      if (isRoot) question.silent.add(server);
      this.#walk(id, question, isRoot ? this.#nearestServer(question) : server);
    });
  }

  #answer(id: number, { at, from, id: theirs, name }: Question, address: number | null): void {
    this.#questions.delete(id);
    this.network.send(at, from, { kind: 'answer', id: theirs, name, address });
  }

  #kept(at: number, key: string): Kept | null {
    const kept = this.#caches.get(at)?.get(key);
    return kept === undefined || kept.until <= this.network.now ? null : kept;
  }

  #keep(at: number, key: string, address: number): void {
    const { ttl, referralTtl } = this.#options;
    const seconds = key.startsWith('name') ? ttl : referralTtl;
    if (seconds === 0) return;
    const cache = this.#caches.get(at) ?? new Map<string, Kept>();
    this.#caches.set(at, cache.set(key, { until: this.network.now + seconds * 1000, address }));
  }
}

const nameKey = (name: number): string => `name ${name}`;
const zoneKey = (server: number): string => `zone ${server}`;
const topLevelKey = (server: number): string => `top level ${server}`;

/** As of the delegations in the root zone. */
export const TWO_DAYS = 172_800;
