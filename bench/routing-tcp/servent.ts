// A bare ultrapeer in a process of its own: port, handshakes, links and core, without library, store and API.

import { silentLog } from '../../daemon/log.ts';
import { Dialer } from '../../daemon/net/dialer.ts';
import { Handshaker } from '../../daemon/net/handshaker.ts';
import { Listener } from '../../daemon/net/listener.ts';
import { SystemClock, SystemRandom } from '../../daemon/system.ts';
import { Overlay } from '../../protocol/overlay/overlay.ts';

const clock = new SystemClock();
const random = new SystemRandom();
const serventGuid = random.guid();
const nothing = () => {};

const overlay = new Overlay({
  clock,
  random,
  library: { files: 0, bytes: 0, match: () => [] },
  identity: {
    serventGuid,
    vendor: 'SERV',
    ultrapeer: true,
    firewalled: false,
    busy: false,
    speedKbps: 1000,
    leafSlotsFree: 100,
    ultrapeerSlotsFree: 100,
    dailyUptimeSeconds: 86_400,
    listen: () => listener.endpoint,
  },
  sink: {
    onHit: nothing,
    onQueryPassed: nothing,
    onHitPassed: nothing,
    onPush: nothing,
    onHosts: nothing,
    onBye: nothing,
    onVendorMessage: nothing,
    onRouteTableUpdate: nothing,
    onLinkEnded: nothing,
  },
});
const dialer = new Dialer({ forbids: () => 'this servent only listens' });
const handshaker = new Handshaker({
  core: overlay,
  dialer,
  log: silentLog,
  now: () => clock.now(),
  local: () => ({
    userAgent: 'bench/1',
    role: 'ultrapeer',
    listen: listener.endpoint,
    guid: serventGuid,
    degree: 32,
    maxTtl: 4,
    deflate: process.argv.includes('--deflate'),
    features: [],
    liveSince: null,
    guess: null,
    locale: null,
  }),
  admit: peer => ({ kind: 'accept', peerRole: peer.role, ourRole: 'ultrapeer', ultrapeerNeeded: true }),
  tryUltrapeers: () => [],
  crawl: () => null,
});
const listener = new Listener(
  { host: '127.0.0.1', port: 0, log: silentLog },
  { overlay: (socket, head, remote) => handshaker.accept(socket, head, remote), http: socket => socket.destroy() },
);
const { port } = await listener.start();
setInterval(() => overlay.tick(clock.now()), 100);
process.stdout.write(`ready gnutella=127.0.0.1:${port}\n`);
process.on('SIGUSR2', () =>
  process.stderr.write(
    `${JSON.stringify([...overlay.links.values()].map(l => [l.queue.droppedTotal, l.queue.framesSent, l.framesIn]))}\n`,
  ),
);
process.on('SIGTERM', () => process.exit());
