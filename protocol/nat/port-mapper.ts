// Has a router forward our ports: asks by PCP, NAT-PMP and UPnP in turn, renews what is granted, and gives it back at the end.
import { ProtocolError } from '../errors.ts';
import type { Random } from '../ports.ts';
import { ReasonCounts } from '../reason-counts.ts';
import { type Endpoint, type Reach, reachOf } from '../wire/endpoint.ts';
import { type Lease, LIFETIME_S, leaseOf, renewLater } from './lease.ts';
import { NAT_PMP_VERSION, type NatPmpAnswer, parseNatPmpAnswer } from './nat-pmp-message.ts';
import { NONCE_BYTES, type PcpMapAnswer, parsePcpMapAnswer } from './pcp-message.ts';
import { RouterEpoch } from './router-epoch.ts';
import { datagram, type Offer, type Step, subjectOf, upnpCall } from './router-request.ts';
import type { MappingWish, RouterShell, UpnpAnswer } from './router-shell.ts';
import { type MappingMethod, METHOD_NAMES, outsideTrouble, printable, refusalText } from './router-words.ts';
import type { Transport } from './transport.ts';

const ROUTER_OUTCOMES = [
  /** A port was granted, granted again, refused, not answered for, lost, given back. */
  ...(['granted', 'renewed', 'refused', 'silent', 'lost', 'removed'] as const),
  /** Ignored answers: unreadable, of another sender, of another request. */
  ...(['garbage', 'foreign', 'unasked'] as const),
] as const;
export type RouterOutcome = (typeof ROUTER_OUTCOMES)[number];

export interface PortMapperParts {
  readonly shell: RouterShell;
  readonly random: Random;
  /** Scopes of addresses at which others can reach us. */
  readonly reaches: readonly Reach[];
  /** Something that the snapshot shows has changed. */
  readonly onChange: (now: number) => void;
}

interface Asked {
  readonly step: Step;
  readonly nonce: Buffer;
  readonly id: number;
  tries: number;
  againAt: number;
  /** What UPnP is asked for; changes after a conflict. */
  externalPort: number;
  lifetime: number;
  conflicts: number;
}

/** What a router said, by whichever method. */
type RouterAnswer =
  | { readonly kind: 'address'; readonly host: string }
  | {
      readonly kind: 'granted';
      readonly externalPort: number;
      /** Seconds. */
      readonly lifetime: number;
      readonly externalHost: string | null;
    }
  | { readonly kind: 'refused'; readonly code: number; readonly text: string }
  /** What else was asked for. */
  | { readonly kind: 'done' };

/** What is known, for people. */
export interface MappingSnapshot {
  readonly state: 'off' | 'asking' | 'mapped' | 'unmapped';
  readonly method: MappingMethod | null;
  readonly router: string | null;
  /** The router's address outside; null: not known. */
  readonly externalHost: string | null;
  readonly leases: readonly Lease[];
  /** A sentence: why there is none, or what is wrong with what there is; null: all is well. */
  readonly trouble: string | null;
  /** When all is asked again, milliseconds of the clock; null: it is not waited for. */
  readonly againAt: number | null;
}

const METHODS: readonly MappingMethod[] = ['pcp', 'nat-pmp', 'upnp'];
/** Waits for an answer by PCP and NAT-PMP: 250 ms, then double; after so many tries there is no such router. */
const FIRST_WAIT_MS = 250;
const TRIES = 4;
/** At the end there is no time for more. */
const UNMAP_TRIES = 3;
/** Most that a call by UPnP may take; finding a router has to wait for those that answer late. */
const CALL_MS = 10_000;
/** After a round without success, then double. */
const RETRY_FIRST_MS = 60_000;
const RETRY_MAX_MS = 3_600_000;
/** Other ports that are tried when another machine has the one that we want. */
const CONFLICTS_MAX = 3;
/** Once for so long a router is believed that it has lost its tables: one whose clock makes no sense would be asked without end. */
const LOST_AGAIN_MS = 60_000;
const PORT_FREE_MIN = 10_000;
const CONFLICT_CODES = [718, 729];
const ONLY_PERMANENT = 725;

export class PortMapper {
  readonly counts = new ReasonCounts<RouterOutcome>(ROUTER_OUTCOMES);
  readonly #parts: PortMapperParts;
  readonly #epoch = new RouterEpoch();
  readonly #leases = new Map<Transport, Lease>();
  /** Bounded: two transports, each asked for, renewed or given back once at a time. */
  readonly #steps: Step[] = [];
  #wish: MappingWish | null = null;
  /** Of the last wish, for what is still to be given back. */
  #way: Pick<MappingWish, 'router' | 'client'> = { router: { host: '', port: 0 }, client: '0.0.0.0' };
  #asked: Asked | null = null;
  #method: MappingMethod | null = null;
  #externalHost: string | null = null;
  /** Of this round, by method. */
  readonly #words = new Map<MappingMethod, string>();
  #refusal: string | null = null;
  #rounds = 0;
  #roundAt = 0;
  #lastId = 0;
  #lostAt = Number.NEGATIVE_INFINITY;
  /** Only permanent mappings are given. */
  #forGood = false;

  constructor(parts: PortMapperParts) {
    this.#parts = parts;
  }

  /** Asks for these ports from now on, or for none; those that are not wished any more are given back. */
  use(wish: MappingWish | null, now: number): void {
    if (JSON.stringify(this.#wish) === JSON.stringify(wish)) return;
    const { router, client } = this.#way;
    this.#wish = wish;
    this.#asked = null;
    this.#steps.length = 0;
    if (wish !== null) this.#way = wish;
    const isSameWay = this.#way.router.host === router.host && this.#way.client === client;
    for (const lease of [...this.#leases.values()]) {
      if (wish !== null && isSameWay && wish[lease.transport] === lease.internalPort) continue;
      this.#leases.delete(lease.transport);
      // a router of another network cannot be reached any more: its mapping ends by itself
      if (isSameWay) this.#steps.push({ kind: 'unmap', lease });
    }
    this.#rounds = 0;
    this.#roundAt = now;
    if (wish !== null && this.#leases.size > 0)
      for (const transport of this.#missing()) this.#steps.push({ kind: 'map', transport, renewal: false });
    this.#parts.onChange(now);
  }

  /** Nothing is asked for, and everything is given back. */
  get isDone(): boolean {
    return this.#wish === null && this.#asked === null && this.#steps.length === 0;
  }

  get snapshot(): MappingSnapshot {
    const mapped = this.#leases.size > 0;
    const state = this.#wish === null ? 'off' : mapped ? 'mapped' : this.#rounds === 0 ? 'asking' : 'unmapped';
    return {
      state,
      method: mapped ? this.#method : null,
      router: this.#wish?.router.host ?? null,
      externalHost: mapped ? this.#externalHost : null,
      leases: [...this.#leases.values()],
      trouble: this.#wish === null ? null : this.#trouble(mapped),
      againAt: this.#wish !== null && !mapped && this.#asked === null ? this.#roundAt : null,
    };
  }

  #trouble(mapped: boolean): string | null {
    if (!mapped) {
      const words = [...this.#words.values()];
      return words.length === 0 ? null : words.join('; ');
    }
    if (this.#refusal !== null) return this.#refusal;
    const host = this.#externalHost;
    if (host === null) return null;
    return outsideTrouble(host, this.#parts.reaches);
  }

  /** The router's address outside, if others can reach it. */
  get usableHost(): string | null {
    const host = this.#leases.size === 0 ? null : this.#externalHost;
    return host !== null && this.#parts.reaches.includes(reachOf(host)) ? host : null;
  }

  externalPort(transport: Transport): number | null {
    return this.#leases.get(transport)?.externalPort ?? null;
  }

  /** Does what is due; when to be called again. */
  tick(now: number): number {
    this.#expire(now);
    const asked = this.#asked;
    if (asked !== null && now >= asked.againAt) this.#again(asked, now);
    while (this.#asked === null) {
      const next = this.#steps.shift() ?? this.#due(now);
      if (next === null) break;
      this.#ask(next, now);
    }
    return this.#nextAt;
  }

  get #nextAt(): number {
    if (this.#asked !== null) return this.#asked.againAt;
    if (this.#wish === null) return Number.POSITIVE_INFINITY;
    const renewals = [...this.#leases.values()].map(({ renewAt, until }) => Math.min(renewAt, until));
    return Math.min(...renewals, this.#leases.size > 0 ? Number.POSITIVE_INFINITY : this.#roundAt);
  }

  /** What is to be asked now: a renewal, or the first step of a round. */
  #due(now: number): Step | null {
    if (this.#wish === null) return null;
    for (const lease of this.#leases.values())
      if (now >= lease.renewAt) return { kind: 'map', transport: lease.transport, renewal: true };
    if (this.#leases.size > 0 || now < this.#roundAt) return null;
    if (this.#missing().length === 0) {
      this.#roundAt = Number.POSITIVE_INFINITY; // nothing to map
      return null;
    }
    this.#words.clear();
    this.#begin('pcp');
    return this.#steps.shift() ?? null;
  }

  /** Wished, and not granted. */
  #missing(): Transport[] {
    return (['tcp', 'udp'] as const).filter(one => (this.#wish?.[one] ?? null) !== null && !this.#leases.has(one));
  }

  #begin(method: MappingMethod): void {
    this.#method = method;
    this.#forGood = false;
    this.#externalHost = null;
    this.#epoch.forget();
    if (method === 'upnp') this.#steps.push({ kind: 'find' });
    if (method !== 'pcp') this.#steps.push({ kind: 'address' });
    for (const transport of this.#missing()) this.#steps.push({ kind: 'map', transport, renewal: false });
  }

  // --- asking

  #ask(step: Step, now: number): void {
    const lease = this.#leaseOf(step);
    const port = step.kind === 'map' ? (this.#wish?.[step.transport] ?? 0) : 0;
    // one number for both transports, if that can be had
    const wished = lease?.externalPort ?? this.#leases.get('tcp')?.externalPort ?? port;
    const nonce = lease?.nonce ?? Buffer.alloc(NONCE_BYTES);
    if (lease === null) this.#parts.random.fill(nonce);
    const asked: Asked = {
      ...{ step, nonce, id: ++this.#lastId, tries: 0, conflicts: 0 },
      againAt: now,
      externalPort: wished,
      lifetime: this.#forGood ? 0 : LIFETIME_S,
    };
    this.#asked = asked;
    this.#send(asked, now);
  }

  #leaseOf(step: Step): Lease | null {
    if (step.kind === 'unmap') return step.lease;
    return step.kind === 'map' ? (this.#leases.get(step.transport) ?? null) : null;
  }

  #send(asked: Asked, now: number): void {
    const { shell } = this.#parts;
    asked.againAt = now + (this.#method === 'upnp' ? CALL_MS : FIRST_WAIT_MS * 2 ** asked.tries);
    asked.tries++;
    if (this.#method === 'upnp') shell.call(asked.id, upnpCall(asked.step, this.#offer(asked)));
    else shell.send(datagram(this.#method, asked.step, this.#offer(asked)));
  }

  #offer({ step, nonce, externalPort, lifetime }: Asked): Offer {
    const internalPort = step.kind === 'map' ? (this.#wish?.[step.transport] ?? 0) : 0;
    return { client: this.#way.client, nonce, internalPort, externalPort, externalHost: this.#externalHost, lifetime };
  }

  #again(asked: Asked, now: number): void {
    const most = this.#method === 'upnp' ? 1 : asked.step.kind === 'unmap' ? UNMAP_TRIES : TRIES;
    if (asked.tries < most) {
      this.#send(asked, now);
      return;
    }
    this.counts.count('silent');
    const name = METHOD_NAMES[this.#method ?? 'pcp'];
    this.#failed(asked.step, `the router did not answer by ${name}`, now);
  }

  // --- answers

  /** A datagram that came to the socket from which the router is asked. */
  receive(bytes: Buffer, from: Endpoint, now: number): void {
    const { router } = this.#way;
    if (from.host !== router.host || from.port !== router.port) {
      this.counts.count('foreign');
      return;
    }
    const asked = this.#asked;
    if (asked === null || this.#method === 'upnp') {
      this.counts.count('unasked');
      return;
    }
    try {
      if (bytes[0] === NAT_PMP_VERSION) this.#onNatPmp(parseNatPmpAnswer(bytes), asked, now);
      else this.#onPcp(parsePcpMapAnswer(bytes), asked, now);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.counts.count('garbage');
    }
  }

  /** The system says that nobody listens at the router's port. */
  unreachable(now: number): void {
    if (this.#asked === null || this.#method === 'upnp') return;
    this.counts.count('silent');
    this.#failed(this.#asked.step, `the router does not speak ${METHOD_NAMES[this.#method ?? 'pcp']}`, now);
  }

  #onPcp(answer: PcpMapAnswer, { step, nonce }: Asked, now: number): void {
    if (this.#method !== 'pcp' || answer.transport !== subjectOf(step) || !answer.nonce.equals(nonce)) {
      this.counts.count('unasked');
      return;
    }
    this.#heard(answer.epoch, now);
    const { result: code } = answer;
    this.#take(step, code === 0 ? { ...answer, kind: 'granted' } : { kind: 'refused', code, text: '' }, now);
  }

  #onNatPmp(answer: NatPmpAnswer, { step }: Asked, now: number): void {
    if (this.#method === 'pcp') {
      // how a router says that it speaks the elder protocol alone
      if (answer.kind !== 'refusal') {
        this.counts.count('unasked');
        return;
      }
      this.counts.count('refused');
      this.#failed(step, 'the router does not speak PCP', now);
      return;
    }
    const of = answer.kind === 'map' ? answer.transport : answer.kind === 'address' ? 'address' : answer.about;
    if (of !== subjectOf(step) && of !== null) {
      this.counts.count('unasked');
      return;
    }
    this.#heard(answer.epoch, now);
    if (answer.kind === 'refusal') this.#take(step, { kind: 'refused', code: answer.result, text: '' }, now);
    else if (answer.kind === 'address') this.#take(step, answer, now);
    else this.#take(step, { ...answer, kind: 'granted', externalHost: this.#externalHost }, now);
  }

  /** How a call by UPnP ended. */
  answered(id: number, answer: UpnpAnswer, now: number): void {
    const asked = this.#asked;
    if (asked?.id !== id || this.#method !== 'upnp') {
      this.counts.count('unasked');
      return;
    }
    const { step } = asked;
    if (answer.kind === 'refused') this.#onUpnpRefusal(asked, answer.code, answer.text, now);
    else if (answer.kind === 'failed') {
      this.counts.count('silent');
      this.#failed(step, answer.text, now);
    } else if (answer.kind === 'added') {
      const lifetime = asked.lifetime === 0 ? LIFETIME_S : asked.lifetime;
      const { externalPort } = answer;
      this.#take(step, { kind: 'granted', externalPort, lifetime, externalHost: this.#externalHost }, now);
    } else this.#take(step, answer, now);
  }

  #take(step: Step, answer: RouterAnswer, now: number): void {
    if (answer.kind === 'refused') this.#refused(step, answer.code, answer.text, now);
    else if (answer.kind === 'address') this.#onAddress(answer.host, now);
    else if (step.kind === 'unmap') this.#removed(now);
    else if (answer.kind === 'granted' && step.kind === 'map') this.#granted(step, answer, now);
    else this.#next(now);
  }

  #onUpnpRefusal(asked: Asked, code: number, text: string, now: number): void {
    if (asked.step.kind === 'map' && code === ONLY_PERMANENT && !this.#forGood) {
      this.#forGood = true;
      asked.lifetime = 0;
      this.#send(asked, now);
      return;
    }
    if (asked.step.kind === 'map' && CONFLICT_CODES.includes(code) && asked.conflicts < CONFLICTS_MAX) {
      asked.conflicts++;
      asked.externalPort = PORT_FREE_MIN + this.#parts.random.below(65_536 - PORT_FREE_MIN);
      this.#send(asked, now);
      return;
    }
    this.#refused(asked.step, code, text, now);
  }

  /** The answers that follow show whether the tables are lost: then everything is asked for again. */
  #heard(epoch: number, now: number): void {
    if (!this.#epoch.heard(epoch, now)) return;
    this.counts.count('lost');
    if (now < this.#lostAt + LOST_AGAIN_MS) return;
    this.#lostAt = now;
    for (const lease of this.#leases.values()) lease.renewAt = now;
  }

  #onAddress(host: string, now: number): void {
    this.#externalHost = host;
    this.#next(now);
  }

  #granted(
    { transport, renewal }: Extract<Step, { kind: 'map' }>,
    answer: Omit<Extract<RouterAnswer, { kind: 'granted' }>, 'kind'>,
    now: number,
  ): void {
    const { externalPort, lifetime, externalHost } = answer;
    const internalPort = this.#wish?.[transport] ?? 0;
    if (externalPort === 0 || lifetime === 0) {
      this.counts.count('refused');
      const what = externalPort === 0 ? 'no port' : 'a port for no time';
      this.#failed({ kind: 'map', transport, renewal }, `the router gave ${what}`, now);
      return;
    }
    const nonce = this.#asked?.nonce ?? Buffer.alloc(NONCE_BYTES);
    const granted = { transport, internalPort, externalPort, externalHost, nonce, lifetime };
    this.#leases.set(transport, leaseOf(granted, this.#parts.random, now));
    this.#externalHost = externalHost ?? this.#externalHost;
    this.counts.count(renewal ? 'renewed' : 'granted');
    this.#refusal = null;
    this.#rounds = 0;
    this.#next(now);
  }

  #removed(now: number): void {
    this.counts.count('removed');
    this.#next(now);
  }

  #refused(step: Step, code: number, text: string, now: number): void {
    this.counts.count('refused');
    this.#failed(step, refusalText(this.#method ?? 'pcp', code, printable(text)), now);
  }

  #failed(step: Step, text: string, now: number): void {
    if (step.kind === 'unmap') {
      this.#next(now);
      return;
    }
    if (step.kind === 'map' && (step.renewal || this.#leases.size > 0)) {
      const lease = this.#leases.get(step.transport);
      if (lease !== undefined) renewLater(lease, now);
      this.#refusal = `${step.transport.toUpperCase()}: ${text}`;
      this.#next(now);
      return;
    }
    if (this.#method !== null) this.#words.set(this.#method, text);
    this.#steps.length = 0;
    const next = METHODS[METHODS.indexOf(this.#method ?? 'upnp') + 1];
    if (next !== undefined) this.#begin(next);
    else {
      this.#roundAt =
        now + Math.min(RETRY_FIRST_MS * 2 ** this.#rounds, RETRY_MAX_MS) + this.#parts.random.below(10_000);
      this.#rounds = Math.min(this.#rounds + 1, 10);
    }
    this.#next(now);
  }

  #next(now: number): void {
    this.#asked = null;
    this.#parts.onChange(now);
  }

  #expire(now: number): void {
    for (const lease of [...this.#leases.values()]) {
      if (now < lease.until) continue;
      this.#leases.delete(lease.transport);
      this.counts.count('lost');
      if (this.#leases.size === 0) {
        if (this.#refusal !== null && this.#method !== null) this.#words.set(this.#method, this.#refusal);
        this.#roundAt = now;
      }
      this.#parts.onChange(now);
    }
  }
}
