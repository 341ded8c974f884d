// A storm of logins: who is counted as online, what limits do, and that a super-peer fails only above twice what it can answer.
import fc from 'fast-check';
import t from 'tap';
import { LoginStorm } from '../../sim/login-storm.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

const MINUTE = 60_000;

function storm(changes: Partial<ConstructorParameters<typeof LoginStorm>[0]> = {}): LoginStorm {
  return new LoginStorm({
    ...{ peers: 200, superPeers: 4, random: new SeededRandom(1), capacity: 100, loginsPerSecond: 0.5 },
    ...{ withAdmission: true, withBackoff: true, megas: 0, megasAtMs: 0 },
    ...changes,
  });
}

t.test('peers of a lost super-peer are offline until others took them', async t => {
  const calm = storm();
  calm.network.run(MINUTE);
  t.equal(calm.share, 1);
  calm.lose(0);
  t.equal(calm.share, 0.75);
  calm.network.run(15 * MINUTE);
  t.equal(calm.share, 1);
  t.equal(calm.overloaded, 0);
});

t.test('no more find room than there is', async t => {
  const full = storm({ capacity: 50 });
  full.lose(0);
  full.network.run(60 * MINUTE);
  t.equal(full.share, 0.75);
});

t.test('without limits one lost takes down the others; few logins do not', async t => {
  const wild = storm({ withAdmission: false, withBackoff: false });
  wild.lose(0);
  wild.network.run(60 * MINUTE);
  t.ok(wild.overloaded > 3, `${wild.overloaded} failures`);
  const strong = storm({ withAdmission: false, withBackoff: false, loginsPerSecond: 5 });
  strong.lose(0);
  strong.network.run(60 * MINUTE);
  t.strictSame([strong.overloaded, strong.share], [0, 1]);
});

t.test('whatever is lost and when: nobody is counted twice, and with limits nobody fails', async t => {
  const losses = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 20 })), { maxLength: 3 });
  const property = fc.property(losses, fc.nat(), (losses, seed) => {
    const any = storm({ random: new SeededRandom(seed), capacity: 200 });
    for (const [superPeer, minute] of losses.sort((a, b) => a[1] - b[1])) {
      any.network.run(minute * MINUTE);
      any.lose(superPeer);
      if (any.online < 0 || any.share > 1) return false;
    }
    any.network.run(120 * MINUTE);
    return any.share === 1 && any.overloaded === 0;
  });
  t.doesNotThrow(() => fc.assert(property, { seed: 1, numRuns: 20 }));
});
