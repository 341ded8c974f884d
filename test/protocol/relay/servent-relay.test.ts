// A firewalled leaf and the calls of its relay: it comes for a file that it shares, and counts why it does not come for others.
import t from 'tap';
import type { Link } from '../../../protocol/overlay/links/link.ts';
import type { Overlay } from '../../../protocol/overlay/overlay.ts';
import { type RelayCall, relayCallIn, relayCallItem } from '../../../protocol/relay/relay-line.ts';
import { ServentRelay } from '../../../protocol/servent-relay.ts';
import type { Push } from '../../../protocol/wire/push.ts';
import { SeededRandom } from '../../support/virtual-network.ts';

const WHOLE = Buffer.alloc(20, 1);
const PART = Buffer.alloc(20, 2);
const NEITHER = Buffer.alloc(20, 3);
const TOKEN = 'abcdefghijklmnopqrstuvwxyz';
const GUID = Buffer.alloc(16, 5);
const RELAY = { host: '80.1.2.3', port: 6346 };
const LINK = {
  ...{ ourRole: 'leaf', direction: 'out', role: 'ultrapeer', endpoint: RELAY },
  capabilities: { relays: true },
} as unknown as Link;

const pushWith = (payload: Buffer): Push => ({
  ...{ serventGuid: GUID, fileIndex: 0, endpoint: RELAY, ipv6: null, tls: false },
  ggep: [{ id: 'SRLY', payload }],
});
const pushFor = (sha1: Buffer) => pushWith(relayCallItem({ token: TOKEN, sha1 }).payload);

function made({ firewalled = true, role = 'leaf' as 'leaf' | 'ultrapeer' } = {}) {
  const served: RelayCall[] = [];
  const sent: Push[] = [];
  const overlay = {
    links: new Map(),
    linkTo: () => ({ role: 'leaf' }),
    sendPush: (push: Push) => sent.push(push),
  } as unknown as Overlay;
  const relaying = new ServentRelay({
    ...{ random: new SeededRandom(3), settings: { relay: true }, role: { role }, overlay },
    firewall: { firewalled: () => firewalled },
    library: {
      bySha1: sha1 =>
        sha1.equals(WHOLE) ? { index: 1, name: 'x', size: 1, sha1, tigerRoot: null, modifiedAt: 0 } : null,
    },
    sharesPart: sha1 => sha1.equals(PART),
    endpoint: () => RELAY,
    shell: { serveAtRelay: (_relay, call) => served.push(call) },
  });
  return { relaying, served, sent };
}

t.test('a leaf comes for a file of which it shares the whole or a part, and for no other', async t => {
  const { relaying, served } = made();
  for (const sha1 of [WHOLE, PART, NEITHER]) t.equal(relaying.takes(pushFor(sha1), LINK, 0), true);
  t.strictSame(served, [
    { token: TOKEN, sha1: WHOLE },
    { token: TOKEN, sha1: PART },
  ]);
  t.match(relaying.calls.toRecord(), { came: 2, not_shared: 1, rate: 0 });
});

t.test('calls that are no calls, of strangers, without need, and too many are counted and not followed', async t => {
  const { relaying, served } = made();
  t.equal(relaying.takes({ ...pushFor(WHOLE), ggep: [] }, LINK, 0), false, 'an ordinary push');
  t.equal(relaying.takes(pushWith(Buffer.from(TOKEN)), LINK, 0), true, 'a token without a file');
  relaying.takes(pushFor(WHOLE), null, 0);
  relaying.takes(pushFor(WHOLE), { ...LINK, capabilities: {} } as Link, 0);
  t.strictSame(served, []);
  for (let i = 0; i < 50; i++) relaying.takes(pushFor(WHOLE), LINK, 0);
  t.ok(served.length < 10, `${served.length} at once`);
  const { came, malformed, stranger, rate } = relaying.calls.toRecord();
  t.strictSame([came, came + rate, malformed, stranger], [served.length, 50, 1, 2]);
  const open = made({ firewalled: false });
  open.relaying.takes(pushFor(WHOLE), LINK, 0);
  t.strictSame([open.served, open.relaying.calls.of('reachable')], [[], 1]);
});

t.test('a relay tells its leaf the file that was asked for', async t => {
  const { relaying, sent } = made({ firewalled: false, role: 'ultrapeer' });
  const ticket = relaying.ask({ asker: Buffer.alloc(16, 9), server: GUID, sha1: PART }, '80.9.9.9', 0);
  if (typeof ticket === 'string') throw new Error(ticket);
  t.strictSame(relayCallIn(sent[0]?.ggep ?? []), { token: ticket.token, sha1: PART });
});
