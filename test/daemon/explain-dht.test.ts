// A lookup in the DHT and the node's mode, told in sentences.
import t from 'tap';
import { dhtFinding, explainLookup } from '../../daemon/explain/explain-dht.ts';
import type { DhtModeCause } from '../../protocol/dht/dht-mode.ts';
import type { LookupResult } from '../../protocol/dht/lookup-result.ts';
import type { DhtStanding } from '../../protocol/servent-dht-parts.ts';
import { endedLookup } from '../support/dht-lookups.ts';
import { DhtScene } from '../support/dht-scene.ts';

t.test('each node that was asked is named with why, and what it answered; then why the lookup ended', async t => {
  const scene = new DhtScene();
  const [first, mute] = scene.acquaintAll(2);
  if (first === undefined || mute === undefined) throw new Error('nobody');
  const named = scene.contact(9);
  let result: LookupResult | null = null;
  scene.dht.findValue(scene.contact(5).kuid, 'ALOC', scene.now, ended => {
    result = ended;
  });
  scene.now += 80;
  const local = scene.contactAt({ host: '10.0.0.1', port: 1 });
  scene.answer(first, { kind: 'foundNode', token: Buffer.alloc(4), contacts: [named, local] });
  scene.now += 40;
  scene.answer(named, { kind: 'foundNode', token: Buffer.alloc(4), contacts: [] });
  t.equal(result, null);
  t.match(explainLookup(null, null), { verdict: /under way/, tests: [] });
  scene.pass(60_000);
  const { verdict, tests } = explainLookup(result, null);
  t.match(verdict, /the 2 nearest nodes .* none of them has the value/);
  const said = (address: string) => tests.find(({ name }) => name.includes(address));
  t.match(said('11.0.0.1'), {
    ok: true,
    value: /hop 1: our table knew it.* it named 2 nodes, 1 of them new, after 80 ms/,
  });
  t.match(said('11.0.9.1'), { ok: true, value: /after 80 ms, hop 2: .*11\.0\.0\.1:6346 named it.* after 40 ms/ });
  t.match(said('11.0.1.1'), { ok: false, value: /asked twice; it did not answer/, mend: /others/ });
  t.match(tests.at(-2), { ok: true, value: '1 addresses outside of this network' });
  t.match(tests.at(-1), { name: 'end', ok: false, value: /4 requests, [12] hops?, \d+\.\d s/ });
  t.equal(explainLookup(null, 'it took too long').verdict, 'it took too long');
});

t.test('a lookup without nodes, and one that had to wait for too long', async t => {
  t.match(explainLookup(endedLookup(Buffer.alloc(20)), null).verdict, /no node was known/);
  const late = endedLookup(Buffer.alloc(20), { end: 'too_long', asked: 9 });
  t.match(explainLookup(late, null).verdict, /120 s/);
});

t.test('doctor says why the node is off or only asks, and what to do', async t => {
  const { dht: node } = new DhtScene({ mode: 'passive' });
  const of = (cause: DhtModeCause | null): DhtStanding => ({ node, state: 'seeking', cause, activeInMs: () => 90_000 });
  t.match(dhtFinding(of('new'), 0), { state: 'ok', detail: /passive, 0 nodes known, not joined yet: .* in 1 m/ });
  t.match(dhtFinding(of('firewalled'), 0), {
    state: 'warning',
    detail: /do not reach the port/,
    mend: /forward the port/,
  });
  t.match(dhtFinding(of('udp'), 0), { state: 'warning', mend: /gnutella\.udp/ });
  t.match(dhtFinding(of('unproven'), 0), { state: 'warning', mend: /nothing to do/ });
  t.match(dhtFinding(of('setting'), 0), { state: 'ok', detail: /dht\.mode is passive/, mend: null });
  t.match(dhtFinding(of(null), 0), { state: 'ok', mend: null });
  t.match(dhtFinding(null, 0), { state: 'ok', detail: 'off' });
});
