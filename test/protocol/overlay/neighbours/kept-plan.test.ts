import fc from 'fast-check';
import t from 'tap';
import { type KeptOutcome, KeptPlan } from '../../../../protocol/overlay/neighbours/kept-plan.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const nobody = () => false;
/** No jitter. */
const still = { below: () => 0 };
const FAR = '5.5.1.1:6346';

/** Times of the dials within `ms` when each ends as `outcome` says. */
function dials(address: string, outcome: KeptOutcome, ms: number, random = still): number[] {
  const plan = new KeptPlan([address], random);
  const at: number[] = [];
  for (let now = 0; now < ms; now += SECOND_MS) {
    for (const due of plan.due(now, nobody)) {
      at.push(now);
      plan.onOutcome(due, outcome, now);
    }
  }
  return at;
}

const gaps = (at: number[]) => at.slice(1).map((each, i) => (each - (at[i] ?? 0)) / SECOND_MS);
const refused = (code: number): KeptOutcome => ({ kind: 'refused', code, text: 'said so' });

t.test(
  'a neighbour that is not there is dialled after 30 s, 1, 2, 4 min and so on, never more rarely than 30 min',
  async t => {
    const at = dials(FAR, { kind: 'unreached', text: 'no answer' }, 4 * HOUR_MS);
    t.strictSame(gaps(at).slice(0, 8), [30, 60, 120, 240, 480, 960, 1800, 1800]);
  },
);

t.test('a refusal with a reason waits longer: no slot 2 min, already connected 2, unwanted 10', async t => {
  t.strictSame(gaps(dials(FAR, refused(503), 2 * HOUR_MS)).slice(0, 6), [120, 240, 480, 960, 1800, 1800]);
  t.strictSame(gaps(dials(FAR, refused(204), 10 * MINUTE_MS)), [120, 240]);
  t.strictSame(gaps(dials(FAR, refused(409), HOUR_MS)).slice(0, 4), [120, 240, 480, 600]);
  for (const code of [403, 429, 550])
    t.strictSame(gaps(dials(FAR, refused(code), 4 * HOUR_MS)).slice(0, 4), [600, 1200, 2400, 3600]);
});

t.test('own servents on this machine are dialled again after a second, whatever they said', async t => {
  for (const address of ['127.0.0.1:7001', '[::1]:7001', 'localhost:7001'])
    t.strictSame(gaps(dials(address, refused(503), 2 * MINUTE_MS)).slice(0, 5), [1, 2, 4, 8, 16], address);
});

t.test('no peer elsewhere is ever dialled more than twice a minute, whatever it does', async () => {
  const outcome: fc.Arbitrary<KeptOutcome | 'accepted for a while'> = fc.oneof(
    fc.constant({ kind: 'unreached', text: 'no answer' } as const),
    fc.integer({ min: 0, max: 599 }).map(refused),
    fc.constant('accepted for a while' as const),
    fc.constant({ kind: 'postponed' } as const),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(outcome, fc.nat(300), fc.constantFrom(0, 200, 409, 503)), { minLength: 1, maxLength: 20 }),
      fc.nat(1023),
      (outcomes, chance) => {
        const plan = new KeptPlan([FAR], { below: bound => Math.min(chance, bound - 1) });
        let lastAt = Number.NEGATIVE_INFINITY;
        let now = 0;
        for (const [what, lasts, code] of outcomes) {
          const from = now;
          while (plan.due(now, nobody).length === 0) {
            now += SECOND_MS;
            if (now - from > 2 * HOUR_MS) return false; // it stopped
          }
          if (now - lastAt < 30 * SECOND_MS) return false;
          lastAt = now;
          if (what !== 'accepted for a while') plan.onOutcome(FAR, what, now);
          else {
            plan.onOutcome(FAR, { kind: 'linked' }, now);
            now += lasts * SECOND_MS;
            plan.onLost(FAR, code, '', now);
          }
        }
        return true;
      },
    ),
  );
});

t.test('a neighbour that lets us in and sends us away at once counts as one that refuses', async t => {
  const plan = new KeptPlan([FAR], still);
  plan.due(0, nobody);
  plan.onOutcome(FAR, { kind: 'linked' }, 0);
  plan.onLost(FAR, 503, 'Too many leaves', 5_000);
  t.match(plan.report(nobody), [{ state: 'waiting', nextAt: 125_000, failures: 1, why: '503 Too many leaves' }]);
  plan.due(125_000, nobody);
  plan.onOutcome(FAR, { kind: 'linked' }, 125_000);
  plan.onLost(FAR, 0, '', 125_000 + HOUR_MS);
  t.match(
    plan.report(nobody),
    [{ nextAt: 155_000 + HOUR_MS, failures: 1, why: 'the connection was lost' }],
    'that was a good one',
  );
});

t.test('one that has connected to us by itself is not dialled', async t => {
  const plan = new KeptPlan([FAR], still);
  t.strictSame(
    plan.due(0, () => true),
    [],
  );
  t.match(
    plan.report(() => true),
    [{ address: FAR, state: 'connected', why: null }],
  );
  t.strictSame(plan.due(0, nobody), [FAR], 'and at once when it leaves');
  t.match(plan.report(nobody), [{ state: 'dialling' }]);
});

t.test('changed settings keep what is known of neighbours that stay', async t => {
  const plan = new KeptPlan([FAR, '5.5.2.1:6346'], still);
  plan.due(0, nobody);
  plan.onOutcome(FAR, refused(503), 0);
  plan.addresses = [FAR, '5.5.3.1:6346'];
  plan.onOutcome('5.5.2.1:6346', refused(503), 0);
  t.strictSame(plan.due(1, nobody), ['5.5.3.1:6346']);
});

t.test(
  'an address that is taken out and put back while connected stays connected, and is dialled when its link is lost',
  t => {
    const plan = new KeptPlan([FAR, '5.5.1.2:6346'], still);
    plan.due(0, nobody);
    plan.onOutcome(FAR, { kind: 'linked' }, 5);
    plan.addresses = [];
    t.strictSame([plan.addresses, plan.report(nobody), plan.has(FAR)], [[], [], false]);
    plan.addresses = [FAR];
    t.match(plan.report(nobody), [{ address: FAR, state: 'connected' }]);
    t.strictSame(plan.due(HOUR_MS, nobody), []);
    plan.onLost(FAR, 0, '', HOUR_MS);
    t.strictSame(plan.due(HOUR_MS + MINUTE_MS, nobody), [FAR]);
    t.end();
  },
);

t.test('an address that is put back while it is dialled is not dialled twice', t => {
  const plan = new KeptPlan([FAR], still);
  t.strictSame(plan.due(0, nobody), [FAR]);
  plan.addresses = [];
  plan.addresses = [FAR];
  t.strictSame(plan.due(1, nobody), []);
  plan.addresses = [];
  plan.onOutcome(FAR, refused(503), 2);
  plan.addresses = [FAR];
  t.strictSame(plan.due(3, nobody), [FAR], 'what was taken out and is over is forgotten');
  t.end();
});
