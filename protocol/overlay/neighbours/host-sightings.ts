// What others tell of hosts: pongs, headers, caches. Goes to the host cache, with the free slots of ultrapeers.
import type { WallClock } from '../../ports.ts';
import type { Endpoint } from '../../wire/endpoint.ts';
import type { ReachPolicy } from '../reach/reach-policy.ts';
import type { HostCache, HostSighting } from './host-cache.ts';

export class HostSightings {
  readonly #hosts: HostCache;
  readonly #reach: ReachPolicy;
  readonly #clock: WallClock;

  constructor(hosts: HostCache, reach: ReachPolicy, clock: WallClock) {
    this.#hosts = hosts;
    this.#reach = reach;
    this.#clock = clock;
  }

  /** How many of them the host cache took. Our own address is passed over. */
  add(sightings: readonly HostSighting[], now: number): number {
    const wallTime = this.#clock.wallTime();
    let taken = 0;
    for (const sighting of sightings) {
      const { endpoint, ultrapeer, leafSlotsFree } = sighting;
      if (this.#reach.isOwn(endpoint)) continue;
      const known = this.#hosts.add(sighting, wallTime);
      if (known === null) continue;
      taken++;
      if (ultrapeer === true && leafSlotsFree != null) known.saidSlots(leafSlotsFree, now);
    }
    return taken;
  }

  /** Addresses out of a peer's headers or Bye. */
  addTried(endpoints: readonly Endpoint[], ultrapeer: boolean, now: number): void {
    const known = ultrapeer ? true : null;
    this.add(
      endpoints.map(endpoint => ({ endpoint, source: 'try', ultrapeer: known, dailyUptimeSeconds: null })),
      now,
    );
  }
}
