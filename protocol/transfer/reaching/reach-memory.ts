// Remembers by which way servents were reached, so that it comes first the next time, and which push proxies did not know them.
import { LazyMap } from '../../lazy-map.ts';
import { TimedKeys } from '../../timed-keys.ts';
import { type Endpoint, formatEndpoint } from '../../wire/endpoint.ts';
import { guidKey } from '../../wire/guid.ts';
import type { ReachWay } from './reach-way.ts';

/** A firewall's rules, and the neighbours of who is behind it, change within hours. */
const REMEMBERED_MS = 3_600_000;
const SERVENTS_MAX = 2_048;
/** A push proxy that does not know a servent is not asked for it again for so long, nor one that does not answer for anybody. */
const REFUSED_MS = 600_000;
const REFUSED_MAX = 4_096;

export interface ReachMark {
  readonly way: ReachWay;
  /** The push proxy that passed the push on; null: another way, or not known. */
  readonly proxy: Endpoint | null;
  readonly at: number;
}

export class ReachMemory {
  /** By servent GUID, or by address for who has none; the oldest first. At most SERVENTS_MAX. */
  readonly #marks = new LazyMap<string, ReachMark>();
  readonly #refused: TimedKeys;

  constructor(now: number) {
    this.#refused = new TimedKeys(REFUSED_MS, REFUSED_MAX, now);
  }

  get size(): number {
    return this.#marks.size;
  }

  note(servent: string, way: ReachWay, proxy: Endpoint | null, now: number): void {
    this.#marks.delete(servent);
    for (const oldest of this.#marks.keys()) {
      if (this.#marks.size < SERVENTS_MAX) break;
      this.#marks.delete(oldest);
    }
    this.#marks.set(servent, { way, proxy, at: now });
  }

  recall(servent: string, now: number): ReachMark | null {
    const mark = this.#marks.get(servent);
    if (mark === undefined) return null;
    if (now - mark.at <= REMEMBERED_MS) return mark;
    this.#marks.delete(servent);
    return null;
  }

  /** No way led to it: what is remembered does not hold any more. */
  forget(servent: string): void {
    this.#marks.delete(servent);
  }

  /** `servent` null: the proxy did not answer at all, for any servent. */
  refuse(proxy: Endpoint, servent: string | null, now: number): void {
    this.#refused.add(`${formatEndpoint(proxy)} ${servent ?? ''}`, now);
  }

  refuses(proxy: Endpoint, servent: string, now: number): boolean {
    const at = formatEndpoint(proxy);
    return this.#refused.has(`${at} ${servent}`, now) || this.#refused.has(`${at} `, now);
  }
}

/** By what a servent is remembered. */
export function serventOf(serventGuid: Buffer | null, endpoint: Endpoint): string {
  return serventGuid === null ? formatEndpoint(endpoint) : guidKey(serventGuid);
}
