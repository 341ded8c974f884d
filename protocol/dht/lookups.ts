// The lookups that are under way and those that wait: sends their requests, takes the answers in, and fetches the rest of a value that one
// answer did not hold.
import type { Endpoint } from '../wire/endpoint.ts';
import type { DhtContact } from './dht-contact.ts';
import type { DhtMessage } from './dht-message.ts';
import type { DhtRules } from './dht-rules.ts';
import { creatorKey, type DhtValue } from './dht-value.ts';
import { type Candidate, Lookup, pathTo } from './lookup.ts';
import type { LookupEnd, LookupKind, LookupResult } from './lookup-result.ts';
import type { Requests } from './requests.ts';
import { ValueFetch } from './value-fetch.ts';

const RUNNING_MAX = 16;
const WAITING_MAX = 1_024;
/** A key shares at most so many bits more with a node than the logarithm of the network's size (gtk-gnutella). */
const GUARD_BITS = 10;
/** Nodes with values that a lookup of values hears, unless its time after the first is up: one alone could hide the others' values by a lie. */
const KEEPERS = 6;
const KEEPERS_MS = 2_000;

export interface LookupWish {
  readonly target: Buffer;
  /** Type of the values that are looked for; null: the nearest nodes are. */
  readonly type: string | null;
  /** The target is the KUID of a node, as which nobody can pose who is nearer than others. */
  readonly ofNode: boolean;
  /** Absent: `node` or `value`. */
  readonly kind?: LookupKind;
}

export type OnLookupEnd = (result: LookupResult, now: number) => void;

export interface LookupPorts {
  readonly own: Buffer;
  readonly rules: DhtRules;
  readonly requests: Requests;
  /** Nodes to begin with, nearest first. */
  readonly closest: (target: Buffer) => readonly DhtContact[];
  readonly networkSize: () => number;
  /** See LookupOptions. */
  readonly refuses: (endpoint: Endpoint) => boolean;
  /** Of every lookup. */
  readonly onEnd: OnLookupEnd;
}

interface Running {
  readonly wish: LookupWish;
  readonly lookup: Lookup;
  readonly onEnd: OnLookupEnd;
  /** Of nodes that have values, the first to answer first. */
  readonly fetches: ValueFetch[];
  /** When no other node with values is waited for; Infinity: none is known. */
  enoughAt: number;
  /** No other node is asked: the rest of what some have named is waited for. */
  closed: boolean;
}

export class Lookups {
  readonly #ports: LookupPorts;
  readonly #running = new Set<Running>();
  readonly #waiting: { readonly wish: LookupWish; readonly onEnd: OnLookupEnd }[] = [];
  started = 0;

  constructor(ports: LookupPorts) {
    this.#ports = ports;
  }

  get running(): number {
    return this.#running.size;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get nextAt(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const running of this.#running) {
      for (const fetch of running.fetches) at = Math.min(at, fetch.nextAt);
      const { lookup, enoughAt } = running;
      if (!running.closed) at = Math.min(at, lookup.deadline, lookup.wakeAt, enoughAt);
      else if (hasValues(running)) at = Math.min(at, enoughAt + KEEPERS_MS);
    }
    return at;
  }

  start(wish: LookupWish, now: number, onEnd: OnLookupEnd): void {
    if (this.#running.size < RUNNING_MAX) this.#run(wish, now, onEnd);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push({ wish, onEnd });
    else {
      const lookup = this.#lookup(wish, now);
      this.#tell(freshRun(wish, lookup, onEnd), 'refused', now);
    }
  }

  #lookup({ target, ofNode }: LookupWish, now: number): Lookup {
    const { own, rules, networkSize, refuses } = this.#ports;
    const commonBitsMax = ofNode ? null : Math.ceil(Math.log2(networkSize())) + GUARD_BITS;
    const ofNetworkMax = rules.limits.path;
    return new Lookup(
      { target: Buffer.from(target), own, reaches: rules.reaches, refuses, ofNetworkMax, commonBitsMax },
      now,
    );
  }

  #run(wish: LookupWish, now: number, onEnd: OnLookupEnd): void {
    const lookup = this.#lookup(wish, now);
    const running = freshRun(wish, lookup, onEnd);
    this.started++;
    this.#running.add(running);
    lookup.offer(this.#ports.closest(lookup.target));
    this.#pump(running, now);
  }

  tick(now: number): void {
    for (const running of [...this.#running]) {
      for (const fetch of running.fetches) fetch.tick(now);
      this.#pump(running, now);
    }
  }

  /** Sends what the lookup may send now, and ends it when it is over. */
  #pump(running: Running, now: number): void {
    if (!this.#running.has(running)) return;
    if (!running.closed) running.closed = this.#isClosed(running, now);
    // a node that names values and does not send them delays those of others for a short time only
    const isLate = now >= running.enoughAt + KEEPERS_MS && hasValues(running);
    if (running.closed && (isLate || running.fetches.every(({ isOver }) => isOver))) this.#end(running, now);
  }

  /** Nobody else is asked. */
  #isClosed(running: Running, now: number): boolean {
    const { lookup, fetches } = running;
    const { requests, networkSize } = this.#ports;
    do {
      if (fetches.length >= KEEPERS || now >= running.enoughAt) return true;
      for (;;) {
        const candidate = lookup.next(now, endpoint => requests.admitsAt(endpoint, now));
        if (candidate === null) break;
        this.#ask(running, candidate, now);
      }
      if (!lookup.isOver(now)) return false;
    } while (now < lookup.deadline && lookup.thin(networkSize()));
    return true;
  }

  #ask(running: Running, candidate: Candidate, now: number): void {
    const { target, type } = running.wish;
    const sent = this.#ports.requests.ask(
      candidate.contact,
      type === null ? { kind: 'findNode', target } : { kind: 'findValue', key: target, secondaryKeys: [], type },
      now,
      {
        onAnswer: (answer, same, at) => {
          candidate.ms = at - now;
          this.#onAnswer(running, candidate, answer, same, at);
        },
        onSilence: at => {
          running.lookup.failed(candidate, 'silent');
          this.#pump(running, at);
        },
      },
      candidate.tries > 1,
    );
    if (!sent) running.lookup.failed(candidate, 'unsent');
  }

  #onAnswer(running: Running, candidate: Candidate, answer: DhtMessage, same: boolean, now: number): void {
    const { lookup } = running;
    if (!same || answer.header.firewalled) lookup.failed(candidate, same ? 'firewalled' : 'another');
    else if (answer.kind === 'foundNode') {
      const token = answer.token.length === 0 ? null : Buffer.from(answer.token);
      lookup.answered(candidate, answer.contacts, token);
    } else if (answer.kind === 'value') this.#onValue(running, candidate, answer, now);
    this.#pump(running, now);
  }

  #onValue(running: Running, candidate: Candidate, answer: DhtMessage & { kind: 'value' }, now: number): void {
    const { lookup, wish } = running;
    lookup.answeredValues(candidate);
    if (running.closed || wish.type === null) return;
    const fetch = new ValueFetch(
      { key: lookup.target, type: wish.type, from: candidate, reaches: this.#ports.rules.reaches },
      this.#ports.requests,
      at => this.#pump(running, at),
      now,
    );
    fetch.take(answer, now);
    // a node that has nothing of that type after all is passed over
    if (fetch.isOver && fetch.values.length === 0) return;
    if (running.fetches.push(fetch) === 1) running.enoughAt = now + KEEPERS_MS;
  }

  #end(running: Running, now: number): void {
    this.#running.delete(running);
    const next = this.#waiting.shift();
    if (next !== undefined) this.#run(next.wish, now, next.onEnd);
    this.#tell(running, endOf(running, now), now);
  }

  #tell(running: Running, end: LookupEnd, now: number): void {
    const { wish, lookup, onEnd, fetches } = running;
    const { target, startedAt, asked, asks, doubts } = lookup;
    const from = fetches.find(fetch => fetch.values.length > 0)?.from ?? null;
    const values = valuesOf(running);
    const nearest = lookup.nearest();
    const last = from ?? nearest[0];
    const result: LookupResult = {
      target,
      kind: wish.kind ?? (wish.type === null ? 'node' : 'value'),
      end,
      values,
      nearest: nearest.filter(candidate => candidate !== from),
      hops: last?.hop ?? 0,
      path: last === undefined ? [] : pathTo(last),
      asked,
      asks,
      doubts,
      ms: now - startedAt,
      cutShort: end === 'refused' || now >= lookup.deadline,
    };
    this.#ports.onEnd(result, now);
    onEnd(result, now);
  }
}

function freshRun(wish: LookupWish, lookup: Lookup, onEnd: OnLookupEnd): Running {
  return { wish, lookup, onEnd, fetches: [], enoughAt: Number.POSITIVE_INFINITY, closed: false };
}

function hasValues({ fetches }: Running): boolean {
  return fetches.some(({ values }) => values.length > 0);
}

/** Of all nodes that had some, each once. */
function valuesOf({ fetches }: Running): DhtValue[] {
  const values = fetches.flatMap(fetch => fetch.values);
  return [...new Map(values.map(value => [creatorKey(value), value])).values()];
}

function endOf(running: Running, now: number): LookupEnd {
  const { wish, lookup } = running;
  if (hasValues(running)) return 'found';
  if (now >= lookup.deadline) return 'too_long';
  if (lookup.nearest().length === 0) return 'silent';
  return wish.type === null ? 'nearest' : 'missing';
}
