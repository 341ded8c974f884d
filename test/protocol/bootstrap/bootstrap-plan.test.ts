import t from 'tap';
import { type BootstrapFacts, nextStep, PUBLIC_TIMING } from '../../../protocol/bootstrap/bootstrap-plan.ts';

const alone: BootstrapFacts = {
  links: 0,
  wanted: 4,
  dialable: false,
  tried: 0,
  withoutLinkMs: 0,
  sinceUdpMs: null,
  udpCaches: 3,
};
const step = (facts: Partial<BootstrapFacts>) => nextStep({ ...alone, ...facts }, PUBLIC_TIMING);

t.test('who knows nobody asks UDP host caches at once, GWebCaches 40 s later or when there are no others', async t => {
  t.equal(step({}), 'udp');
  t.equal(step({ sinceUdpMs: 39_999 }), 'udp');
  t.equal(step({ sinceUdpMs: 40_000 }), 'web');
  t.equal(step({ udpCaches: 0 }), 'web');
});

t.test('own hosts come first: twenty are dialled, and have 20 s to answer', async t => {
  t.equal(step({ dialable: true }), 'wait');
  t.equal(step({ dialable: true, tried: 19, withoutLinkMs: 1e9 }), 'wait');
  t.equal(step({ dialable: true, tried: 20, withoutLinkMs: 19_999 }), 'wait');
  t.equal(step({ dialable: true, tried: 20, withoutLinkMs: 20_000 }), 'udp');
  t.equal(step({ tried: 3, withoutLinkMs: 19_999 }), 'wait', 'all three are being dialled');
  t.equal(step({ tried: 3, withoutLinkMs: 20_000 }), 'udp');
});

t.test('who has what it wants, or a neighbour and hosts to dial, asks nobody', async t => {
  t.equal(step({ links: 4 }), 'wait');
  t.equal(step({ links: 1, dialable: true, tried: 99, withoutLinkMs: 1e9 }), 'wait');
  t.equal(step({ links: 1 }), 'udp');
});
