// A servent with neighbours that talk to it in vendor messages.
import { Type } from '../../protocol/constants.ts';
import { Firewall } from '../../protocol/overlay/reach/firewall.ts';
import { VendorDispatch } from '../../protocol/overlay/vendor-dispatch.ts';
import { formatEndpoint } from '../../protocol/wire/endpoint.ts';
import { encodeDescriptor } from '../../protocol/wire/header.ts';
import { encodeMessagesSupported } from '../../protocol/wire/vendor/supported.ts';
import { parseVendorMessage, vendorId } from '../../protocol/wire/vendor-message.ts';
import { type Puppet, type SeenFrame, type ServentOptions, VirtualNetwork } from './virtual-network.ts';

const NO_GUID = Buffer.alloc(16);

/** A servent whose vendor messages a test speaks, and the probes that it would send. */
export class Scene {
  readonly network = new VirtualNetwork();
  readonly servent;
  readonly firewall;
  readonly vendor;
  readonly tcp: string[] = [];
  readonly udp: string[] = [];

  constructor(options: ServentOptions = {}, override: 'open' | 'firewalled' | null = 'open') {
    const { clock } = this.network;
    this.servent = this.network.add('a', options);
    this.firewall = new Firewall({ override, isNear: () => false, byPort: false, now: clock.now() });
    this.vendor = new VendorDispatch(
      {
        clock,
        random: this.network.random,
        identity: this.servent,
        firewall: this.firewall,
        probes: {
          tcp: to => this.tcp.push(formatEndpoint(to)),
          udp: (to, guid) => this.udp.push(`${formatEndpoint(to)} ${guid.toString('hex')}`),
        },
        links: this.servent.overlay.links,
        reaches: ['private', 'public'],
        adopt: (link, guid) => this.servent.overlay.adopt(link, guid),
      },
      clock.now(),
    );
    this.servent.hearVendorMessage = (link, frame) => this.vendor.onMessage(link, frame, clock.now());
  }

  /** A neighbour that understands `ids`; null: it never says. */
  peer(ids: readonly string[] | null, role: 'ultrapeer' | 'leaf' = 'ultrapeer', vendorMessages = true): Puppet {
    const puppet = this.network.puppet(this.servent, role, { vendorMessages });
    this.vendor.onLinked(puppet.link, this.network.clock.ms);
    if (ids !== null) {
      const supported = ids.map(id => ({
        vendor: id.split('/')[0] ?? '',
        selector: Number(id.split('/')[1]),
        version: 1,
      }));
      this.say(puppet, encodeMessagesSupported(supported));
    }
    return puppet;
  }

  say(puppet: Puppet, payload: Buffer, guid: Buffer = NO_GUID): void {
    puppet.send(encodeDescriptor(guid, Type.Vendor, 1, 0, payload));
    this.network.settle();
  }

  tick(ms: number): void {
    this.network.clock.ms += ms;
    this.vendor.tick(this.network.clock.ms);
    this.network.settle();
  }
}

export function heard(puppet: Puppet, id: string): SeenFrame[] {
  return puppet.ofType(Type.Vendor).filter(({ payload }) => vendorId(parseVendorMessage(payload)) === id);
}

export const bodyOf = (frame: SeenFrame | undefined) => parseVendorMessage(frame?.payload ?? Buffer.alloc(8));
