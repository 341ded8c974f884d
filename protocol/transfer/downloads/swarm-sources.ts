// The sources of one download: bounded, without room for those whom only others name where somebody better comes.
import { ownerOf, reachOf } from '../../wire/endpoint.ts';
import type { Source } from './source.ts';
import { HEARSAY_FAILURES_MAX } from './source-retry.ts';
import { SwarmSource, type SwarmSourceState } from './swarm-source.ts';

export const SOURCES_MAX = 200;
/** Sources of wrong bytes that are remembered when the sources are forgotten. */
const CORRUPT_MAX = 1000;
/** Addresses for which connects on hearsay are counted. */
const DIALLED_MAX = 4096;

export class SwarmSources implements Iterable<SwarmSource> {
  /** In order of arrival. A new one replaces a dropped one, or one that was only named. */
  readonly #sources: SwarmSource[] = [];
  readonly #byKey = new Map<string, SwarmSource>();
  readonly #byNumber = new Map<number, SwarmSource>();
  /** By `liarAt` and `connectedAt`, or by key from records of before; oldest first, as in the next. */
  readonly corrupt = new Set<string>();
  /** By address: connects on hearsay. */
  readonly #dialled = new Map<string, number>();
  readonly #onCharge: (source: Source, isCharged: boolean) => void;
  #arrived = 0;

  constructor(onCharge: (source: Source, isCharged: boolean) => void = () => undefined) {
    this.#onCharge = onCharge;
  }

  [Symbol.iterator](): Iterator<SwarmSource> {
    return this.#sources.values();
  }

  get size(): number {
    return this.#sources.length;
  }

  get(number: number): SwarmSource | null {
    return this.#byNumber.get(number) ?? null;
  }

  /** Null: known already (a dropped one stays dropped), sent wrong bytes, or no room. Hearsay, which may be lies, leaves room for others. */
  add(key: string, source: Source, hearsay: boolean): SwarmSource | null {
    const known = this.#byKey.get(key);
    if (known !== undefined && !hearsay && (source.pushProxies?.length ?? 0) > 0)
      known.learnReach({
        serventGuid: source.serventGuid,
        pushProxies: source.pushProxies ?? [],
        rudp: source.rudp ?? null,
      });
    if (known !== undefined || this.corrupt.has(key) || this.corrupt.has(liarAt(source))) return null;
    if (this.size >= SOURCES_MAX && !this.#forget('dropped') && (hearsay || !this.#forget('hearsay'))) return null;
    const added = new SwarmSource(this.#arrived++, key, source, hearsay);
    this.#sources.push(added);
    this.#byKey.set(key, added);
    this.#byNumber.set(added.number, added);
    return added;
  }

  /** It sent wrong bytes. */
  charge(source: SwarmSource): void {
    if (!source.corrupt) this.#onCharge(source.source, true);
    source.corrupt = true;
    for (const name of [liarAt(source.source), connectedAt(source)]) if (name !== null) this.corrupt.add(name);
    for (const oldest of this.corrupt) {
      if (this.corrupt.size <= CORRUPT_MAX) return;
      this.corrupt.delete(oldest);
    }
  }

  pardon(source: SwarmSource): void {
    if (source.corrupt) this.#onCharge(source.source, false);
    source.corrupt = false;
    this.corrupt.delete(source.key);
    for (const name of [liarAt(source.source), connectedAt(source)]) if (name !== null) this.corrupt.delete(name);
  }

  /** Others named it, and so did they its address before, which did not answer: it is left alone. */
  isWornOut(source: SwarmSource): boolean {
    return source.hearsay && (this.#dialled.get(addressOf(source)) ?? 0) >= HEARSAY_FAILURES_MAX;
  }

  /** Those that may still serve: of one that others named somebody may yet answer. */
  get usable(): number {
    let usable = 0;
    for (const each of this.#sources)
      if (each.state !== 'dropped' && !(each.state === 'idle' && this.isWornOut(each))) usable++;
    return usable;
  }

  onDial(source: SwarmSource): void {
    if (!source.hearsay) return;
    const address = addressOf(source);
    const times = this.#dialled.get(address) ?? 0;
    this.#dialled.delete(address);
    for (const oldest of this.#dialled.keys()) {
      if (this.#dialled.size < DIALLED_MAX) break;
      this.#dialled.delete(oldest);
    }
    this.#dialled.set(address, times + 1);
  }

  /** It has the file. */
  onAnswer(source: SwarmSource): void {
    if (source.hearsay) this.#dialled.delete(addressOf(source));
    source.hearsay = false;
  }

  in(state: SwarmSourceState): SwarmSource[] {
    const found: SwarmSource[] = [];
    for (const each of this.#sources) if (each.state === state) found.push(each);
    return found;
  }

  /** Connections that work for us, or will. */
  connections(): { active: number; connecting: number } {
    let active = 0;
    let connecting = 0;
    for (const { state, order } of this.#sources) {
      if (state === 'connecting') connecting++;
      if (state === 'connecting' || state === 'ready' || (state === 'asking' && order?.stalled !== true)) active++;
    }
    return { active, connecting };
  }

  /** The source's part in the sum of the rates of all that are at work. */
  shareOf(source: SwarmSource, now: number): number {
    let sum = 0;
    let count = 0;
    for (const each of this.#sources) {
      if (each !== source && each.state !== 'ready' && each.state !== 'asking' && each.state !== 'connecting') continue;
      sum += each.rate.at(now);
      count++;
    }
    const rate = source.rate.at(now);
    return rate === 0 ? 1 / count : rate / sum;
  }

  /** Whether somebody else may bring what this one is under suspicion for. */
  othersAreLeft(source: SwarmSource): boolean {
    for (const each of this.#sources)
      if (each !== source && each.state !== 'dropped' && each.barred === null) return true;
    return false;
  }

  #forget(which: 'dropped' | 'hearsay'): boolean {
    const at = this.#sources.findIndex(each =>
      which === 'dropped' ? each.state === 'dropped' : each.hearsay && !each.isConnected,
    );
    const [forgotten] = at < 0 ? [] : this.#sources.splice(at, 1);
    if (forgotten === undefined) return false;
    forgotten.state = 'dropped';
    this.#byNumber.delete(forgotten.number);
    return this.#byKey.delete(forgotten.key);
  }
}

/** What is dialled, or who is asked to connect to us. */
export function addressOf({ source }: SwarmSource): string {
  const { push, serventGuid, endpoint } = source;
  return push && serventGuid !== null ? serventGuid.toString('hex') : endpoint.host;
}

/** The public address to which its connection leads: a liar that connects to us comes back as another servent. Null: others may share it. */
export function connectedAt({ remote }: SwarmSource): string | null {
  return remote !== null && reachOf(remote) === 'public' ? remote : null;
}

/** As which a source of wrong bytes is remembered: other ports of its address are no other servents. */
function liarAt({ push, serventGuid, endpoint }: Source): string {
  return push && serventGuid !== null ? serventGuid.toString('hex') : ownerOf(endpoint);
}
