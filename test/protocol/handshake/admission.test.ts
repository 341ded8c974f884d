import t from 'tap';
import { type AdmissionContext, admit } from '../../../protocol/handshake/admission.ts';
import { type Capabilities, capabilitiesOf } from '../../../protocol/handshake/capabilities.ts';
import { Headers } from '../../../protocol/handshake/header-block.ts';
import { openContext } from '../../support/handshake-pair.ts';

const none = capabilitiesOf(new Headers());
const good = { ultrapeerQueryRouting: true, dynamicQuerying: true, degree: 32, maxTtl: 4 };
const ultrapeer: Capabilities = { ...none, ...good, role: 'ultrapeer' };
const leaf: Capabilities = { ...none, ...good, role: 'leaf' };
const legacy: Capabilities = none;

const full = { used: 3, max: 3 };
const free = { used: 2, max: 3 };
const context = (changes: Partial<AdmissionContext>): AdmissionContext => ({ ...openContext, ...changes });

t.test('incoming, we are an ultrapeer', async t => {
  const judge = (peer: Capabilities, changes: Partial<AdmissionContext> = {}) =>
    admit(peer, context({ role: 'ultrapeer', direction: 'in', ...changes }));
  const asUltrapeer = { kind: 'accept', peerRole: 'ultrapeer', ourRole: 'ultrapeer', ultrapeerNeeded: true };

  t.strictSame(judge(leaf), { kind: 'accept', peerRole: 'leaf', ourRole: 'ultrapeer', ultrapeerNeeded: null });
  t.strictSame(judge(leaf, { leaves: full }), { kind: 'refuse', code: 503, text: 'Too many leaf connections (3 max)' });
  t.strictSame(judge(ultrapeer), asUltrapeer);
  t.strictSame(judge(ultrapeer, { leaves: full, ultrapeers: free }), asUltrapeer);
  t.strictSame(judge(ultrapeer, { leaves: free, ultrapeers: full }), {
    ...asUltrapeer,
    ultrapeerNeeded: false,
    onlyAsLeaf: true,
  });
  t.hasStrict(judge(ultrapeer, { leaves: full, ultrapeers: full }), {
    code: 503,
    text: 'Too many ultra connections (3 max)',
  });
  const wanting = (used: number) => judge(ultrapeer, { wantsLeaves: true, leaves: { used, max: 10 } });
  t.strictSame(wanting(8), { ...asUltrapeer, ultrapeerNeeded: false }, 'asked to be a leaf, welcome all the same');
  t.strictSame(wanting(9), asUltrapeer, 'the last tenth is for those that are leaves');
  t.hasStrict(judge(legacy), { code: 403 });
  t.strictSame(judge(legacy, { acceptLegacy: true }), { ...asUltrapeer, peerRole: 'legacy', ultrapeerNeeded: null });
  t.hasStrict(judge(legacy, { acceptLegacy: true, ultrapeers: full }), { code: 503 });
});

t.test('incoming, we are a leaf', async t => {
  const judge = (peer: Capabilities, changes: Partial<AdmissionContext> = {}) =>
    admit(peer, context({ role: 'leaf', direction: 'in', ...changes }));
  t.hasStrict(judge(leaf), { kind: 'refuse', code: 204, text: 'Shielded leaf node (10 peers max)' });
  t.strictSame(judge(ultrapeer), { kind: 'accept', peerRole: 'ultrapeer', ourRole: 'leaf', ultrapeerNeeded: null });
  t.hasStrict(judge(ultrapeer, { ultrapeers: full }), { code: 503 });
  const demanding = { demandDynamicQuerying: true };
  t.hasStrict(judge(ultrapeer, demanding), { kind: 'accept' });
  t.hasStrict(judge({ ...ultrapeer, degree: 15 }, demanding), { code: 403 });
  t.hasStrict(judge({ ...ultrapeer, degree: null }, demanding), { code: 403 });
  t.hasStrict(judge({ ...ultrapeer, dynamicQuerying: false }, demanding), { code: 403 });
  t.hasStrict(judge(legacy, { acceptLegacy: true }), { kind: 'accept', peerRole: 'legacy', ourRole: 'leaf' });
});

t.test('outgoing, we are an ultrapeer', async t => {
  const judge = (peer: Partial<Capabilities>, changes: Partial<AdmissionContext> = {}) =>
    admit({ ...ultrapeer, ...peer }, context({ role: 'ultrapeer', direction: 'out', ...changes }));
  const asUltrapeers = { kind: 'accept', peerRole: 'ultrapeer', ourRole: 'ultrapeer', ultrapeerNeeded: null };
  const asItsLeaf = { ...asUltrapeers, ourRole: 'leaf' };

  t.strictSame(judge({ ultrapeerNeeded: true }), asUltrapeers);
  t.strictSame(judge({ ultrapeerNeeded: null }), asUltrapeers);
  t.strictSame(judge({ ultrapeerNeeded: false }), asUltrapeers, 'guidance is advice');
  t.hasStrict(judge({}, { ultrapeers: full }), { code: 503 });
  t.strictSame(judge({ role: 'leaf' }), { ...asUltrapeers, peerRole: 'leaf' });
  t.hasStrict(judge({ role: 'leaf' }, { leaves: full }), { code: 503 });

  const willing = { mayBecomeLeaf: true, liveSince: 1_999 };
  t.strictSame(judge({ ultrapeerNeeded: false, liveSince: 900 }, willing), asItsLeaf, 'the older one stays');
  t.strictSame(judge({ ultrapeerNeeded: false, liveSince: 2000 }, willing), asUltrapeers);
  const twin = { ...willing, guid: Buffer.alloc(16, 5) };
  const low = { ultrapeerNeeded: false, liveSince: 1000, guid: Buffer.alloc(16, 4) };
  t.strictSame(judge(low, twin), asItsLeaf, 'of two that started in the same second one gives way');
  t.strictSame(judge({ ...low, guid: Buffer.alloc(16, 6) }, twin), asUltrapeers);
  t.strictSame(judge({ ...low, guid: null }, twin), asUltrapeers);
  t.strictSame(
    judge({ ultrapeerNeeded: false, liveSince: null }, willing),
    asItsLeaf,
    'LimeWire says nothing of its age',
  );
  t.strictSame(judge({ ultrapeerNeeded: false, liveSince: null, degree: 6 }, willing), asUltrapeers);
  t.strictSame(judge({ ultrapeerNeeded: true, liveSince: 900 }, willing), asUltrapeers);
  const withLeaves = { ...willing, leaves: { used: 1, max: 10 } };
  t.strictSame(judge({ ultrapeerNeeded: false, liveSince: 900 }, withLeaves), asUltrapeers, 'leaves depend on us');
});

t.test('outgoing, we are a leaf', async t => {
  const judge = (peer: Capabilities, changes: Partial<AdmissionContext> = {}) =>
    admit(peer, context({ role: 'leaf', direction: 'out', ...changes }));
  t.hasStrict(judge(ultrapeer), { kind: 'accept', peerRole: 'ultrapeer', ourRole: 'leaf' });
  t.hasStrict(judge(ultrapeer, { ultrapeers: full }), { code: 503 });
  t.hasStrict(judge(leaf), { code: 503 }, 'a 2xx would read as yes');
});

t.test('what no slot makes good is refused in either direction and role', async t => {
  const code = (peer: Partial<Capabilities>, changes: Partial<AdmissionContext> = {}): number => {
    const codes = new Set<number>();
    for (const direction of ['in', 'out'] as const) {
      for (const role of ['ultrapeer', 'leaf'] as const) {
        const verdict = admit({ ...ultrapeer, ...peer }, context({ direction, role, ...changes }));
        codes.add(verdict.kind === 'refuse' ? verdict.code : 200);
      }
    }
    return codes.size === 1 ? ([...codes][0] ?? 0) : -1;
  };
  t.equal(code({}), 200);
  t.equal(code({}, { closing: true }), 503);
  t.equal(code({}, { hostile: true }), 550);
  t.equal(code({ authChallenge: true }), 403);
  t.equal(code({ gnutella: false }), 406);
  t.equal(code({}, { addressConnected: true }), 409);
  t.equal(code({}, { guidConnected: true }), 409);
  t.hasStrict(admit(ultrapeer, context({ hammering: true, direction: 'in' })), { code: 429 });
  t.hasStrict(admit(ultrapeer, context({ hammering: true, direction: 'out' })), { kind: 'accept' }, 'we dialled');
});

t.test('every refusal carries a reason text: LimeWire rejects a status line without one', async t => {
  const changes: Partial<AdmissionContext>[] = [
    { closing: true },
    { hostile: true },
    { hammering: true },
    { addressConnected: true },
    { ultrapeers: full, leaves: full },
    { role: 'leaf', ultrapeers: full },
  ];
  for (const change of changes) {
    const verdict = admit(ultrapeer, context(change));
    t.match(verdict.kind === 'refuse' ? verdict.text : '', /^[\x20-\x7e]{5,60}$/);
  }
});
