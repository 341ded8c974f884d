import t from 'tap';
import type { DhtMode } from '../../../protocol/dht/dht.ts';
import { type DhtModeFacts, dhtMode } from '../../../protocol/dht/dht-mode.ts';

const HOUR_MS = 3_600_000;
const REACHED: DhtModeFacts = {
  setting: 'auto',
  udp: true,
  endpoint: { host: '5.6.7.8', port: 6346 },
  reaches: ['public'],
  reachability: 'open',
  upMs: HOUR_MS,
  activeAfterMs: HOUR_MS,
};

function modeOf(facts: DhtModeFacts, before: DhtMode): DhtMode {
  return dhtMode(facts, before).mode;
}

t.test('a node that datagrams reach answers requests once it has been up for long enough', async t => {
  t.equal(modeOf(REACHED, 'passive'), 'active');
  t.equal(modeOf({ ...REACHED, upMs: HOUR_MS - 1 }, 'passive'), 'passive');
  t.equal(modeOf({ ...REACHED, upMs: 0, activeAfterMs: 0 }, 'off'), 'active');
});

t.test('a proof that has run out and is being renewed leaves an active node as it is', async t => {
  t.equal(modeOf({ ...REACHED, reachability: 'unknown' }, 'active'), 'active');
  t.equal(modeOf({ ...REACHED, reachability: 'unknown' }, 'passive'), 'passive');
  t.equal(modeOf({ ...REACHED, reachability: 'firewalled' }, 'active'), 'passive');
});

t.test('an address of another scope answers nobody, and without IPv4 or UDP there is no node', async t => {
  t.equal(modeOf({ ...REACHED, endpoint: { host: '192.168.1.2', port: 6346 } }, 'active'), 'passive');
  for (const host of ['2a00::1', '0.0.0.0'])
    t.equal(modeOf({ ...REACHED, endpoint: { host, port: 6346 } }, 'active'), 'off');
  t.equal(modeOf({ ...REACHED, endpoint: { host: '5.6.7.8', port: 0 } }, 'active'), 'off');
  t.equal(modeOf({ ...REACHED, udp: false }, 'active'), 'off');
  t.equal(modeOf({ ...REACHED, setting: 'off' }, 'active'), 'off');
});

t.test('as set, a node only asks, or answers from the start unless nobody reaches it', async t => {
  t.equal(modeOf({ ...REACHED, setting: 'passive' }, 'active'), 'passive');
  const active: DhtModeFacts = { ...REACHED, setting: 'active', reachability: 'unknown', upMs: 0 };
  t.equal(modeOf(active, 'off'), 'active');
  t.equal(modeOf({ ...active, reachability: 'firewalled' }, 'active'), 'passive');
  t.equal(modeOf({ ...active, endpoint: { host: '10.0.0.1', port: 6346 } }, 'active'), 'passive');
  t.equal(modeOf({ ...active, udp: false }, 'active'), 'off');
});

t.test('why it is not active is said', async t => {
  const cause = (facts: Partial<DhtModeFacts>, before: DhtMode = 'passive') =>
    dhtMode({ ...REACHED, ...facts }, before).cause;
  t.equal(cause({}), null);
  t.equal(cause({ setting: 'off' }), 'setting');
  t.equal(cause({ udp: false }), 'udp');
  t.equal(cause({ endpoint: { host: '0.0.0.0', port: 6346 } }), 'address');
  t.equal(cause({ setting: 'passive' }), 'setting');
  t.equal(cause({ endpoint: { host: '10.0.0.1', port: 6346 } }), 'scope');
  t.equal(cause({ reachability: 'firewalled' }), 'firewalled');
  t.equal(cause({ upMs: 0 }), 'new');
  t.equal(cause({ reachability: 'unknown' }), 'unproven');
  t.equal(cause({ reachability: 'unknown' }, 'active'), null, 'renewed');
});
