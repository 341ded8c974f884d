// Settings of how others reach this servent and how its traffic leaves the machine: router, VPN, interface, proxy.
import { fileOrNone, interfaceOrNone, oneOf, routerOrNone, socksOrNone, yesOrNo } from './kinds.ts';
import { setting } from './setting.ts';

export const bindInterface = setting(interfaceOrNone, {
  flag: '--interface <name>',
  default: '',
  defaultText: 'none',
  doc: 'Network interface such as `tun0` to which all Gnutella traffic is bound: it listens on and connects from the address of that interface alone. While the interface is away, all connections are closed and nothing is sent. Overrides `gnutella.host`. Empty: none.',
});

export const natSettings = {
  mapping: setting(oneOf('off', 'auto'), {
    flag: '--nat-mapping <how>',
    change: 'hot',
    default: { local: 'off', lan: 'off', public: 'auto' },
    doc: 'Whether the router is asked to forward the Gnutella port, TCP and UDP, to this machine: by PCP, NAT-PMP or UPnP, the first that works.',
  }),
  router: setting(routerOrNone, {
    flag: '--nat-router <address>',
    change: 'hot',
    default: '',
    defaultText: 'the default gateway',
    doc: 'IP address of the router to ask, where it is not the default gateway, with a port of PCP and NAT-PMP where that is not 5351.',
  }),
  relay: setting(yesOrNo, {
    flag: '--relay',
    default: false,
    doc: 'As an ultrapeer that others can connect to, pass the bytes of files on between a firewalled leaf of ours and a servent that cannot be connected to either: at most 16 transfers at a time, 1 MiB/s in all, 1 GiB and one hour each. Only servents of this kind use it. It takes effect for new neighbours.',
  }),
  portFile: setting(fileOrNone, {
    flag: '--nat-port-file <file>',
    default: '',
    defaultText: 'none',
    doc: 'File in which a VPN client, such as gluetun, writes the port that it forwards. It holds in place of `gnutella.port`, and is followed while the servent runs: connections stay.',
  }),
};

export const proxySettings = {
  socks: setting(socksOrNone, {
    flag: '--socks <url>',
    default: '',
    defaultText: 'none',
    doc: 'SOCKS5 proxy for all connections of the servent to others, as `socks5://USER:PASSWORD@HOST:PORT`. With it there is no UDP, no DHT and no port mapping, and nobody can connect to this servent. Names are looked up by the proxy. Hooks with a URL are called directly, not through it.',
  }),
  isolate: setting(yesOrNo, {
    flag: '--socks-isolate',
    default: false,
    doc: 'Give the proxy another user name for each address, so that Tor uses another circuit for each (stream isolation). Only without a user in `proxy.socks`.',
  }),
};
