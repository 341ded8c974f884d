// A quarter of the ultrapeers goes at once.
import t from 'tap';
import { ultrapeerLoss } from '../../../sim/servents/ultrapeer-loss.ts';

t.test('with room on the others, each leaf has found new ultrapeers within 30 s', async t => {
  const recovery = ultrapeerLoss({ seed: 1, servents: 200, lost: 0.25, leafSlots: 2, seconds: 30 });
  const last = recovery.at(-1);
  t.equal(last?.orphans, 0);
  t.ok((last?.links ?? 0) >= 3, `${last?.links} links`);
  t.ok(recovery.every(({ success }) => success >= 0.8));
});

t.test('without room some leaves take over, and these have links of their own within seconds', async t => {
  // one to eight leaves take over, by seed
  const recovery = ultrapeerLoss({ seed: 6, servents: 200, lost: 0.4, leafSlots: 1.2, seconds: 240 });
  const last = recovery.at(-1);
  t.ok((last?.promoted ?? 0) >= 2, `${last?.promoted} promoted`);
  t.ok((last?.promotedLinks ?? 0) >= 3, `${last?.promotedLinks} links of each`);
  const [first] = recovery;
  t.ok((last?.links ?? 0) > (first?.links ?? 0) + 0.5, `${first?.links} links of a leaf, then ${last?.links}`);
  t.ok((last?.promoted ?? 0) < 30, 'no storm: few change their role');
});
