// The sources of a swarm as its verification sees them: who votes, who is trusted, and what blame does to them.
import { formatEndpoint, reachOf } from '../../wire/endpoint.ts';
import { RangeSet } from '../range-set.ts';
import { subjectOf } from '../uploads/conduct/subject.ts';
import type { SwarmPlanner } from './swarm-planner.ts';
import type { SwarmSource } from './swarm-source.ts';
import type { BlamedSources } from './verification.ts';

/** A source of which nothing but a name is known is trusted less than any that brought bytes. */
const HEARSAY_BYTES = 2 ** 50;
const FAILURE_BYTES = 1 << 20;

/** The address, or IPv6 network, that has the source's vote. In a network of one machine each port is somebody else. */
export function voterOf({ source: { endpoint }, remote }: SwarmSource): string {
  const host = remote ?? endpoint.host;
  return reachOf(host) === 'loopback' ? formatEndpoint(endpoint) : (subjectOf(host) ?? host);
}

export class SwarmBlame implements BlamedSources {
  readonly #planner: SwarmPlanner;
  readonly #onDropped: (source: SwarmSource) => void;

  /** `onDropped`: its visit is to be ended. */
  constructor(planner: SwarmPlanner, onDropped: (source: SwarmSource) => void) {
    this.#planner = planner;
    this.#onDropped = onDropped;
  }

  voterOf(number: number): string | null {
    const source = this.#planner.get(number);
    return source === null ? null : voterOf(source);
  }

  trustIn(number: number): number {
    const source = this.#planner.get(number);
    return source === null ? Number.NEGATIVE_INFINITY : trustIn(source);
  }

  mostTrusted(except: ReadonlySet<number>): number | null {
    let most: SwarmSource | null = null;
    for (const source of this.#planner) {
      if (source.state === 'dropped' || source.available !== null || except.has(source.number)) continue;
      if (most === null || trustIn(source) > trustIn(most)) most = source;
    }
    return most?.number ?? null;
  }

  onRight(number: number, bytes: number): void {
    this.#planner.onRight(number, bytes);
  }

  onWrong(number: number, bytes: number, isDropped: boolean, now: number): void {
    this.#planner.onWrong(number, bytes);
    const source = this.#planner.get(number);
    if (source === null || !isDropped || source.state === 'dropped') return;
    const what = bytes === 0 ? 'sent a false hash tree' : `sent wrong bytes (${source.wasted} in all)`;
    this.#planner.onCorrupt(source, `corrupt: ${what}`, now);
    this.#onDropped(source);
  }

  onPardoned(number: number): void {
    const source = this.#planner.get(number);
    if (source !== null) this.#planner.onPardoned(source);
  }

  askOnly(number: number | null): void {
    const all = RangeSet.of([{ start: 0, end: Number.MAX_SAFE_INTEGER }]);
    for (const source of this.#planner) source.barred = number === null || source.number === number ? null : all;
    this.#planner.onSpace();
  }

  onSpace(start: number, end: number): void {
    this.#planner.onSpace(start, end);
  }
}

function trustIn({ bytes, wasted, failures, hearsay }: SwarmSource): number {
  return bytes - wasted - failures * FAILURE_BYTES - (hearsay ? HEARSAY_BYTES : 0);
}
