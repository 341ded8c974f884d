// The Gnutella port of this servent: where it listens, where others reach it, and whether datagrams can be sent.
import type { Endpoint, Reach } from '../../wire/endpoint.ts';
import { type Mapped, OwnAddress } from './own-address.ts';
import type { ReachPolicy } from './reach-policy.ts';

export class OwnPort {
  readonly #reach: Pick<ReachPolicy, 'addOwn'>;
  readonly #reaches: readonly Reach[];
  /** Null until we listen. */
  #own: OwnAddress | null = null;
  #at: Endpoint = { host: '0.0.0.0', port: 0 };
  /** Datagrams can be sent and received. */
  udp = false;

  readonly #onElsewhere: (now: number, moved: boolean) => void;

  /** `onElsewhere`: others may reach us who could not before; `moved`: at another port than before. */
  constructor(
    reach: Pick<ReachPolicy, 'addOwn'>,
    reaches: readonly Reach[],
    onElsewhere: (now: number, moved: boolean) => void,
  ) {
    this.#reach = reach;
    this.#reaches = reaches;
    this.#onElsewhere = onElsewhere;
  }

  /** We listen for TCP there. `hosts`: addresses of this machine. Another port of the same address keeps what peers see of it. */
  listening(at: Endpoint, hosts: readonly string[]): void {
    if (this.#own === null || at.host !== this.#at.host) this.#own = new OwnAddress(at, this.#reaches, hosts);
    else this.#own.port = at.port;
    this.#at = at;
    this.#addOwn();
  }

  /** The same while the servent runs. */
  moved(at: Endpoint, hosts: readonly string[], now: number): void {
    this.listening(at, hosts);
    this.#onElsewhere(now, true);
  }

  /** Where others reach us, as far as we know. */
  get endpoint(): Endpoint {
    return this.#own?.endpoint ?? this.#at;
  }

  /** Where datagrams reach us, as far as we know. */
  get datagrams(): Endpoint {
    return this.#own?.datagrams ?? this.#at;
  }

  get ipv6(): string | null {
    return this.#own?.ipv6 ?? null;
  }

  /** A peer says at which address it sees us. */
  seen(host: string, voter: string): void {
    if (this.#own?.seen(host, voter) === true) this.#addOwn();
  }

  /** A router forwards ports to us, or does so no longer. */
  mapped(mapped: Mapped, now: number): void {
    if (this.#own === null) return;
    const before = [this.endpoint.port, this.datagrams.port];
    this.#own.mapped = mapped;
    this.#addOwn();
    this.#onElsewhere(now, this.endpoint.port !== before[0] || this.datagrams.port !== before[1]);
  }

  #addOwn(): void {
    this.#reach.addOwn(this.endpoint);
    this.#reach.addOwn(this.datagrams);
    this.#reach.addOwn({ host: this.endpoint.host, port: this.#at.port });
    if (this.ipv6 !== null) this.#reach.addOwn({ host: this.ipv6, port: this.#at.port });
  }
}
