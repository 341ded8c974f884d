import fc from 'fast-check';
import t from 'tap';
import { FIRST_BAN_MS, LONGEST_BAN_MS, REMEMBERED_MS } from '../../../../../protocol/transfer/uploads/conduct/bans.ts';
import { Conduct, type Visit } from '../../../../../protocol/transfer/uploads/conduct/conduct.ts';
import { POINTS, POINTS_MAX } from '../../../../../protocol/transfer/uploads/conduct/offence.ts';

const ADDRESS = '192.0.2.1';
const everybody = (): Conduct => new Conduct({ bans: true, spares: () => false });

function visit(conduct: Conduct, now: number, address = ADDRESS, pushed = false): Visit {
  const visit = conduct.visit(address, pushed, now);
  if (visit === null) throw new Error('turned away');
  return visit;
}

/** A connection with one request that is refused. */
function refused(conduct: Conduct, now: number, address = ADDRESS): void {
  const visit = conduct.visit(address, false, now);
  if (visit === null || visit.ask(now) !== null) return;
  visit.ended('busy', now);
  visit.close(now);
}

/** Milliseconds until the address is banned when it does that each `everyMs`; null: never within two hours. */
function bannedAfter(everyMs: number, act: (conduct: Conduct, now: number) => void): number | null {
  const conduct = everybody();
  for (let now = 0; now < 7_200_000; now += everyMs) {
    act(conduct, now);
    if (conduct.bans.of(ADDRESS, now) !== null) return now;
  }
  return null;
}

t.test('who connects faster than the pace allows is always banned, within a bound, and who keeps the pace never', t => {
  const paceMs = (POINTS.connections + POINTS.requests) * 1000;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: paceMs - 500 }), everyMs => {
      // so many points are left of each after `everyMs`
      const gain = POINTS.connections + POINTS.requests - everyMs / 1000;
      const at = bannedAfter(everyMs, refused);
      return at !== null && at <= (POINTS_MAX / gain + 1) * everyMs;
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: paceMs, max: 120_000 }), everyMs => bannedAfter(everyMs, refused) === null),
    { numRuns: 30 },
  );
  t.end();
});

t.test('data takes back what its connection cost', t => {
  t.equal(
    bannedAfter(500, (conduct, now) => {
      const one = visit(conduct, now);
      one.ask(now);
      one.ended('partial', now);
      one.close(now);
    }),
    null,
  );
  t.type(
    bannedAfter(500, (conduct, now) => {
      const one = visit(conduct, now);
      one.ask(now);
      one.ended('partial', now);
      for (let i = 0; i < 10; i++) one.ended('not_found', now);
      one.close(now);
    }),
    'number',
    'but not what its other requests cost',
  );
  t.end();
});

t.test('connections that never ask', t => {
  const conduct = everybody();
  for (let i = 0; i < 4; i++) visit(conduct, i).close(i);
  t.equal(conduct.bans.of(ADDRESS, 4), null);
  visit(conduct, 5).close(5);
  t.match(conduct.bans.of(ADDRESS, 6), { reason: 'never_asked', times: 1, until: 5 + FIRST_BAN_MS });
  t.end();
});

t.test('connections that we opened because of pushes say nothing about the address, which somebody else named', t => {
  const conduct = everybody();
  for (let i = 0; i < 1000; i++) visit(conduct, i, ADDRESS, true).close(i);
  t.strictSame(conduct.remembered, { scores: 0, copies: 0 });
  t.end();
});

t.test('the same file again and again', t => {
  const conduct = everybody();
  const fetch = (now: number, content: string, share = 1): void => {
    const one = visit(conduct, now);
    one.ask(now);
    one.ended('whole', now);
    one.sent(content, share * 1000, 1000, now);
    one.close(now);
  };
  for (let i = 0; i < 500; i++) fetch(i, `file ${i}`);
  t.equal(conduct.bans.of(ADDRESS, 500), null, 'many files');
  for (let i = 0; i < 30; i++) fetch(500 + i, 'in parts', 0.1);
  t.equal(conduct.bans.of(ADDRESS, 530), null, 'three copies');
  const atLeisure = (i: number): void => fetch(1000 + i * 400_000, 'once in seven minutes');
  for (let i = 0; i < 7; i++) atLeisure(i);
  t.equal(conduct.bans.size, 0, 'seven copies in an hour');
  atLeisure(7);
  t.match(conduct.bans.of(ADDRESS, 2_801_000), { reason: 'same_file' }, 'eight');
  t.end();
});

t.test('what the queue reports counts, and early polls ban at once', t => {
  const conduct = everybody();
  conduct.violated('early_polls', ADDRESS, 0);
  t.match(conduct.bans.of(ADDRESS, 1), { reason: 'early_polls' });
  const reasons = [
    ['unknown_id', 'unknown_ids'],
    ['borrowed_id', 'borrowed_ids'],
    ['replayed_id', 'replayed_ids'],
    ['too_many_entries', 'too_many_entries'],
  ] as const;
  for (const [i, [violation, reason]] of reasons.entries()) {
    const address = `192.0.2.${10 + i}`;
    for (let n = 0; n < 25; n++) conduct.violated(violation, address, 0);
    t.match(conduct.bans.of(address, 1), { reason });
  }
  t.equal(conduct.counts.of('unknown_ids'), 1);
  t.end();
});

t.test('a ban is told once, then connections are closed without a word; it ends, and the next is twice as long', t => {
  const conduct = everybody();
  const told: string[] = [];
  conduct.onBanned = ({ subject, times }) => told.push(`${subject} ${times}`);
  let now = 0;
  for (let times = 1; times <= 8; times++) {
    conduct.violated('early_polls', ADDRESS, now);
    const one = visit(conduct, now);
    const ban = one.ask(now);
    if (ban === null) throw new Error('not banned');
    t.equal(ban.until - now, Math.min(LONGEST_BAN_MS, FIRST_BAN_MS * 2 ** (times - 1)));
    one.close(now);
    t.equal(conduct.visit(ADDRESS, false, now), null);
    t.equal(conduct.visit(ADDRESS, true, now), null, 'nor is a push answered');
    t.equal(ban.turnedAway, 2);
    now = ban.until;
    t.equal(visit(conduct, now, ADDRESS, true).ask(now), null, 'it is over');
  }
  t.equal(conduct.turnedAway, 16);
  now += REMEMBERED_MS;
  conduct.violated('early_polls', ADDRESS, now);
  t.match(conduct.bans.of(ADDRESS, now), { times: 1 }, 'long ago');
  t.strictSame(told.slice(-2), [`${ADDRESS} 8`, `${ADDRESS} 1`]);
  t.end();
});

t.test('nobody is banned where the rules or the setting say so, but by hand', t => {
  const conducts = [new Conduct(), new Conduct({ bans: true, spares: address => address === ADDRESS })];
  for (const conduct of conducts) {
    conduct.violated('early_polls', ADDRESS, 0);
    for (let now = 0; now < 1000; now++) refused(conduct, now);
    t.strictSame(conduct.bans.list(1000), []);
    conduct.banByHand(ADDRESS, Infinity, 'noise', 1000);
    t.match(conduct.bans.of(ADDRESS, 1e12), { reason: 'by_hand', note: 'noise' });
    t.ok(conduct.lift(ADDRESS, 2000));
    t.notOk(conduct.lift(ADDRESS, 2000));
    t.equal(conduct.bans.of(ADDRESS, 2000), null);
  }
  t.end();
});

t.test('public IPv6 counts by /64, private and IPv4 by address', t => {
  const conduct = everybody();
  for (let i = 0; i < 40; i++) refused(conduct, 0, `2a00:1450:1:2::${(i + 1).toString(16)}`);
  t.match(conduct.bans.list(0), [{ subject: '2a00:1450:1:2::' }]);
  for (let i = 0; i < 40; i++) refused(conduct, 0, `fd00::${(i + 1).toString(16)}`);
  for (let i = 0; i < 40; i++) refused(conduct, 0, `192.0.2.${i}`);
  t.equal(conduct.bans.list(0).length, 1);
  for (let i = 0; i < 40; i++) refused(conduct, 0, '::ffff:192.0.2.77');
  t.match(conduct.bans.of('192.0.2.77', 0), { times: 1 }, 'a mapped address is the IPv4 address');
  t.end();
});

t.test('a flood of addresses takes bounded memory, leaves bans by hand, and does not hide who hammers in it', t => {
  const conduct = everybody();
  const forgotten: string[] = [];
  conduct.onForgotten = subject => forgotten.push(subject);
  conduct.banByHand('198.51.100.1', Infinity, null, 0);
  const at = (i: number): string => `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
  for (let i = 0; i < 20_000; i++) {
    const one = visit(conduct, i / 10, at(i));
    one.ask(i / 10);
    one.ended('partial', i / 10);
    one.sent('a file', 1, 2, i / 10);
    one.ended('not_found', i / 10);
    if (i % 100 === 0) refused(conduct, i / 10);
  }
  t.ok(conduct.bans.of(ADDRESS, 2000), 'the one in a hundred');
  t.match(conduct.remembered, { scores: 4096, copies: 4096 });
  for (let i = 0; i < 6000; i++) conduct.violated('early_polls', at(i), 3000);
  t.equal(conduct.bans.size, 4096);
  t.equal(forgotten.length, 6002 - 4096);
  t.ok(conduct.bans.of('198.51.100.1', 3000));
  let added = 1;
  while (conduct.banByHand(`198.18.${added >> 8}.${added & 255}`, Infinity, null, 3000) !== null) added++;
  t.equal(added, 1024);
  t.equal(conduct.bans.size, 4096);
  t.end();
});

t.test('a clock that stands, runs back or leaps bans nobody who is quiet and forgets nothing it should not', t => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 20 }), times => {
      const conduct = everybody();
      for (const now of times) {
        const one = conduct.visit(ADDRESS, false, now);
        if (one === null) return false;
        one.ask(now);
        one.ended('partial', now);
        one.close(now);
      }
      return conduct.bans.size === 0;
    }),
  );
  t.end();
});

t.test(
  'bans as records: what is left holds after a restart, never longer than it was meant to, and broken ones do not',
  t => {
    const before = everybody();
    before.violated('early_polls', ADDRESS, 50_000);
    const ban = before.bans.of(ADDRESS, 50_000);
    if (ban === null) throw new Error('not banned');
    const record = before.bans.recordOf(ban, 60_000, 1_000_000_000);
    t.match(record, { since: 999_990_000, until: 999_990_000 + FIRST_BAN_MS, times: 1 });
    const leftAt = (date: number): number | null => {
      const { bans } = everybody();
      bans.restore(ADDRESS, record, 7, date);
      const restored = bans.of(ADDRESS, 7);
      return restored === null ? null : restored.until - 7;
    };
    t.equal(leftAt(1_000_100_000), FIRST_BAN_MS - 110_000);
    t.equal(leftAt(1_001_000_000), null, 'over');
    t.equal(leftAt(5), FIRST_BAN_MS, 'the clock was set back');
    const { bans } = everybody();
    t.ok(bans.restore(ADDRESS, record, 7, 1_001_000_000));
    t.match(bans.add(ADDRESS, 'requests', 8), { times: 2 }, 'it is remembered');
    t.notOk(bans.restore('192.0.2.2', { ...record, until: Number.NaN }, 7, 1_000_100_000));
    t.notOk(bans.restore('192.0.2.2', record, 7, 1_000_000_000 + 2 * REMEMBERED_MS), 'long ago');
    const lasting = { ...record, until: null };
    t.ok(bans.restore('192.0.2.2', lasting, 7, 5));
    t.equal(bans.of('192.0.2.2', 7)?.until, Infinity);
    t.strictSame(bans.recordOf(bans.of('192.0.2.2', 7) ?? ban, 7, 5).until, null);
    t.end();
  },
);
