// How far a profile lets us reach: which addresses may be dialled, kept and answered.
import type { BlockList } from '../../protocol/overlay/block-list.ts';
import { type Endpoint, formatEndpoint, type Reach, reachOf } from '../../protocol/wire/endpoint.ts';
import type { Profile } from '../settings.ts';

const REACHES: Readonly<Record<Profile, readonly Reach[]>> = {
  local: ['loopback'],
  lan: ['loopback', 'private'],
  public: ['public'],
};

/** Addresses that are kept when others tell of them. */
export function reachesOf(profile: Profile): readonly Reach[] {
  return REACHES[profile];
}

export class ReachPolicy {
  readonly #profile: Profile;
  readonly #blocked: BlockList | null;
  /** Our own addresses, as we listen and as others see us; a handful. */
  readonly #own = new Set<string>();

  constructor(profile: Profile, blocked: BlockList | null = null) {
    this.#profile = profile;
    this.#blocked = blocked;
  }

  /** The question for a name goes to a server: not for a servent that stays on loopback. */
  get asksNames(): boolean {
    return this.#profile !== 'local';
  }

  addOwn(endpoint: Endpoint): void {
    this.#own.add(formatEndpoint(endpoint));
  }

  isOwn(endpoint: Endpoint): boolean {
    return this.#own.has(formatEndpoint(endpoint));
  }

  /**
   * Why an endpoint must not be dialled, or null. `public` may dial anything that exists: its own rule is what it
   * believes of hearsay, and a person's `connect` to a neighbour in the same house is no hearsay.
   */
  forbids(endpoint: Endpoint): string | null {
    if (endpoint.port === 0) return 'port 0 cannot be connected to';
    if (this.isOwn(endpoint)) return 'that is this servent itself';
    const reach = reachOf(endpoint.host);
    if (reach === 'unusable') return 'that address belongs to nobody';
    const list = this.#blocked?.blockedBy(endpoint.host) ?? null;
    if (list !== null) return `blocked by ${list}`;
    if (this.#profile === 'public' || REACHES[this.#profile].includes(reach)) return null;
    return `profile ${this.#profile} does not reach ${reach} addresses: choose another --profile`;
  }
}
