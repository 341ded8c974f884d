// What the doctor says of reachability, and what it advises: by proof, by silence, before any test, behind a router and without one.
import t from 'tap';
import { checkReach, checkStreams } from '../../../daemon/doctor/reach.ts';
import type { ReachAccount } from '../../../protocol/overlay/reach/firewall.ts';

const silent: ReachAccount = { state: 'firewalled', since: 0, known: 'silence', provenAt: null };
const untested: ReachAccount = { state: 'unknown', since: 0, known: null, provenAt: null };
const behindRouter = { port: 6346, isOwnAddress: false, peers: 2 };

t.test('behind a router a port is to be forwarded, with an own address a firewall to be opened', async t => {
  t.equal(
    checkReach('TCP', silent, behindRouter).mend,
    'forward port 6346 (TCP) on the router to this machine; without it, others get files only by push',
  );
  t.equal(
    checkReach('UDP', silent, { ...behindRouter, isOwnAddress: true }).mend,
    'allow incoming UDP on port 6346 in the firewall of this machine or its network; without it, hits of searches come only through neighbours',
  );
});

t.test('what is not tested is waited for', async t => {
  t.match(checkReach('TCP', untested, behindRouter), {
    state: 'warning',
    detail: 'not tested yet',
    mend: /^neighbours test it within minutes/,
  });
  t.match(checkReach('TCP', untested, { ...behindRouter, peers: 0 }).mend, /^neighbours test it: wait for one/);
  t.equal(checkReach('UDP', { ...untested, provenAt: 1 }, behindRouter).detail, 'the last proof is too old');
});

t.test('proof and settings are told apart', async t => {
  const open: ReachAccount = { state: 'open', since: 0, known: 'proof', provenAt: 1 };
  t.match(checkReach('TCP', open, behindRouter), { state: 'ok', detail: 'other servents have connected', mend: null });
  t.match(checkReach('TCP', { ...open, known: 'configured' }, behindRouter).detail, /^yes, as configured/);
  t.match(checkReach('TCP', { ...silent, known: 'configured' }, behindRouter).detail, /^no, as configured/);
});

t.test('streams by UDP: possible, not known yet, or out of reach behind a symmetric NAT', async t => {
  const facts = { udpOpen: true, endpoint: { host: '5.5.1.1', port: 7000 }, portVaries: false };
  t.match(checkStreams(facts), { state: 'ok', detail: /5\.5\.1\.1:7000$/, mend: null });
  t.match(checkStreams({ ...facts, endpoint: null }), { state: 'ok', detail: /^not known yet/ });
  t.match(checkStreams({ ...facts, endpoint: null, portVaries: true }), { state: 'warning', detail: /symmetric NAT/ });
  t.match(checkStreams({ ...facts, udpOpen: false }), { state: 'warning', detail: /^UDP is off/ });
});
