// Leaf slots that ultrapeers say are free, out of their pongs: how short the network is, and where there is room.
import type { Endpoint } from '../../wire/endpoint.ts';
import type { HostCache } from './host-cache.ts';
import type { KnownHost } from './known-host.ts';

export class FreeSlots {
  readonly #hosts: HostCache;
  readonly #lifeMs: number;

  /** What was said is kept with the known hosts, and believed for `lifeMs`. */
  constructor(hosts: HostCache, lifeMs: number) {
    this.#hosts = hosts;
    this.#lifeMs = lifeMs;
  }

  get lifeMs(): number {
    return this.#lifeMs;
  }

  /** A host that the cache does not know is passed over. */
  note(endpoint: Endpoint, free: number, now: number): void {
    this.#hosts.find(endpoint)?.saidSlots(free, now);
  }

  /** It has no leaves any more, or is gone. */
  forget(endpoint: Endpoint): void {
    this.note(endpoint, -1, 0);
  }

  /** Free slots of this host; null when it told none within the lifetime. */
  of(endpoint: Endpoint, now: number): number | null {
    const known = this.#hosts.find(endpoint);
    return known !== null && this.#isFresh(known, now) ? known.slotsFree : null;
  }

  /** Sum of the free slots told within the lifetime. */
  total(now: number): number {
    let total = 0;
    for (const known of this.#hosts.values()) if (this.#isFresh(known, now)) total += known.slotsFree;
    return total;
  }

  /** The ultrapeer with most free slots of those not excluded; of equals the one that told them longest ago; null when none has any. */
  roomiest(now: number, exclude: (endpoint: Endpoint) => boolean): { endpoint: Endpoint; free: number } | null {
    let best: KnownHost | null = null;
    for (const known of this.#hosts.values()) {
      if (known.slotsFree <= 0 || !this.#isFresh(known, now)) continue;
      if ((best !== null && !hasMoreRoom(known, best)) || exclude(known.endpoint)) continue;
      best = known;
    }
    return best === null ? null : { endpoint: best.endpoint, free: best.slotsFree };
  }

  #isFresh({ slotsFree, slotsSaidAt }: KnownHost, now: number): boolean {
    return slotsFree >= 0 && now - slotsSaidAt <= this.#lifeMs;
  }
}

function hasMoreRoom(known: KnownHost, best: KnownHost): boolean {
  if (known.slotsFree !== best.slotsFree) return known.slotsFree > best.slotsFree;
  return known.slotsSaidAt < best.slotsSaidAt;
}
