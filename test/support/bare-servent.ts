// A servent of port, handshakes, links and core only: what the network meets, without library, store and API.
import type { Socket } from 'node:net';
import type { Test } from 'tap';
import { silentLog } from '../../daemon/log.ts';
import { Dialer, type DialerOptions } from '../../daemon/net/dialer.ts';
import { Handshaker, type HandshakerOptions, type LinkingServent } from '../../daemon/net/handshaker.ts';
import { Listener, type ListenerLimits } from '../../daemon/net/listener.ts';
import { SystemClock, SystemRandom } from '../../daemon/system.ts';
import type { LocalHello } from '../../protocol/handshake/handshake.ts';
import type { Link } from '../../protocol/overlay/links/link.ts';
import type { Overlay } from '../../protocol/overlay/overlay.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import { bareOverlay } from './bare-overlay.ts';

export interface BareOptions {
  /** What it says, whom it takes, and a note of links that are gone. */
  servent?: Partial<LinkingServent> & { onUnlinked?: (link: Link) => void };
  hello?: Partial<LocalHello>;
  handshaker?: Partial<HandshakerOptions>;
  dialer?: Partial<DialerOptions>;
  limits?: Partial<ListenerLimits>;
}

export interface BareServent {
  port: number;
  overlay: Overlay;
  listener: Listener;
  handshaker: Handshaker;
}

/** An ultrapeer on a free port of 127.0.0.1 that takes everybody. */
export async function startBareServent(t: Test, options: BareOptions = {}): Promise<BareServent> {
  const clock = new SystemClock();
  const random = new SystemRandom();
  const serventGuid = random.guid();
  let own: Endpoint = { host: '127.0.0.1', port: 0 };
  const overlay = bareOverlay({ clock, random, identity: { serventGuid, listen: () => own } }, clock.now());
  const handshaker = new Handshaker({
    servent: {
      hello: () => ({
        userAgent: 'bare/1',
        role: 'ultrapeer',
        listen: own,
        guid: serventGuid,
        degree: 32,
        maxTtl: 4,
        deflate: true,
        features: [],
        liveSince: null,
        guess: null,
        locale: null,
        ...options.hello,
      }),
      admit: peer => ({ kind: 'accept', peerRole: peer.role, ourRole: 'ultrapeer', ultrapeerNeeded: null }),
      tryUltrapeers: () => [{ host: '5.5.5.5', port: 6346 }],
      crawl: () => null,
      addLink: (spec, now) => overlay.addLink(spec, now),
      receive: (link, chunk, now) => overlay.receive(link, chunk, now),
      removeLink: (link, reason) => {
        overlay.removeLink(link, reason);
        options.servent?.onUnlinked?.(link);
      },
      ...options.servent,
    },
    clock,
    dialer: new Dialer({ forbids: () => null, ...options.dialer }),
    log: silentLog,
    ...options.handshaker,
  });
  const { tls } = options.handshaker ?? {};
  const secure = tls === undefined ? {} : { secure: (socket: Socket, head: Buffer) => tls.accept(socket, head) };
  const listener = new Listener(
    { host: '127.0.0.1', port: 0, log: silentLog, limits: options.limits ?? {}, ...secure },
    { overlay: (socket, head, remote) => handshaker.accept(socket, head, remote), http: socket => socket.destroy() },
  );
  own = await listener.start();
  t.teardown(async () => {
    await listener.stop();
    overlay.shutdown();
    await handshaker.stop();
  });
  return { port: own.port, overlay, listener, handshaker };
}
