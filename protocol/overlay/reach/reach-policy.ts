// Which addresses may be dialled: not our own, not blocked, none that the profile does not reach.
import type { NetworkRules } from '../../network-rules.ts';
import type { BlockList } from '../../wire/block-list.ts';
import { type Endpoint, formatEndpoint, reachOf } from '../../wire/endpoint.ts';

export class ReachPolicy {
  readonly #rules: Pick<NetworkRules, 'profile' | 'dialable'>;
  readonly #blocked: BlockList | null;
  /** Our own addresses, as we listen and as others see us; a handful. */
  readonly #own = new Set<string>();

  constructor(rules: Pick<NetworkRules, 'profile' | 'dialable'>, blocked: BlockList | null = null) {
    this.#rules = rules;
    this.#blocked = blocked;
  }

  addOwn(endpoint: Endpoint): void {
    this.#own.add(formatEndpoint(endpoint));
  }

  isOwn(endpoint: Endpoint): boolean {
    return this.#own.has(formatEndpoint(endpoint));
  }

  /** Whether nothing that this address sends is read. */
  blocks(host: string): boolean {
    return this.#blocked?.blocks(host) ?? false;
  }

  /**
   * Why an endpoint must not be dialled, or null. The profile `public` may dial anything that exists: its own rule is
   * which addresses it believes when others name them.
   */
  forbids(endpoint: Endpoint): string | null {
    if (endpoint.port === 0) return 'port 0 cannot be connected to';
    if (this.isOwn(endpoint)) return 'that is this servent itself';
    const reach = reachOf(endpoint.host);
    if (reach === 'unusable') return 'that address belongs to nobody';
    const list = this.#blocked?.blockedBy(endpoint.host) ?? null;
    if (list !== null) return `blocked by ${list}`;
    const { dialable, profile } = this.#rules;
    if (dialable === null || dialable.includes(reach)) return null;
    return `profile ${profile} does not reach ${reach} addresses: choose another --profile`;
  }
}
