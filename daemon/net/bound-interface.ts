// Follows the address of one network interface, such as that of a VPN, as it comes and goes.
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { canonicalHost, isIpv6 } from '../../protocol/wire/endpoint.ts';

/** Time between two looks. */
const LOOK_MS = 1_000;

export interface BoundInterfaceOptions {
  readonly name: string;
  /** The addresses of this machine, by interface. */
  readonly interfaces?: () => Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;
  /** Called with each other address; null: the interface is gone, or has none. */
  readonly onChange: (address: string | null) => void;
  readonly lookMs?: number;
}

export class BoundInterface {
  readonly name: string;
  readonly #options: BoundInterfaceOptions;
  #address: string | null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: BoundInterfaceOptions) {
    this.name = options.name;
    this.#options = options;
    this.#address = this.#look();
  }

  /** IPv4 if there is one, as most of the network knows nothing else; null: the interface is gone, or has none. */
  get address(): string | null {
    return this.#address;
  }

  start(): void {
    this.#timer = setInterval(() => this.#follow(), this.#options.lookMs ?? LOOK_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #follow(): void {
    const address = this.#look();
    if (address === this.#address) return;
    this.#address = address;
    this.#options.onChange(address);
  }

  #look(): string | null {
    const interfaces = this.#options.interfaces ?? networkInterfaces;
    const hosts = (interfaces()[this.name] ?? []).flatMap(({ address }) => canonicalHost(address) ?? []);
    // a link-local address reaches nobody outside
    const usable = hosts.filter(host => !host.startsWith('fe80:'));
    return usable.find(host => !isIpv6(host)) ?? usable[0] ?? null;
  }
}

export function awayText(name: string): string {
  return `the interface ${name} is away, or has no address: nothing is sent until it is back`;
}
