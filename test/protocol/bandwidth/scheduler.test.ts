import fc from 'fast-check';
import t from 'tap';
import { burstBytes } from '../../../protocol/bandwidth/bucket.ts';
import { DIRECTION_OF, type Flow, PARTS, type Part, Scheduler } from '../../../protocol/bandwidth/scheduler.ts';

const GROUPS = [null, 'friends', 'strangers'] as const;

interface Limits {
  total: number;
  out: number;
  in: number;
  upload: number;
  download: number;
  overlay: number;
  udp: number;
  group: number;
  slot: number;
}

/** 0: no limit. */
const rate = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2_000_000 }));
const limits: fc.Arbitrary<Limits> = fc.record({
  total: rate,
  out: rate,
  in: rate,
  upload: rate,
  download: rate,
  overlay: rate,
  udp: rate,
  group: rate,
  slot: rate,
});
const flows = fc.array(fc.record({ part: fc.constantFrom(...PARTS), group: fc.constantFrom(...GROUPS) }), {
  minLength: 1,
  maxLength: 8,
});

function scheduled(limits: Limits, kinds: readonly { part: Part; group: string | null }[]): [Scheduler, Flow[]] {
  const scheduler = new Scheduler();
  for (const name of ['total', 'out', 'in', ...PARTS] as const) scheduler.limit(name, limits[name], 0);
  if (limits.group > 0) for (const part of PARTS) scheduler.limitGroup(part, 'friends', limits.group, 0);
  return [
    scheduler,
    kinds.map(({ part, group }) => {
      const flow = scheduler.flow(part, group);
      flow.bucket.limit(limits.slot, 0);
      return flow;
    }),
  ];
}

/** Every limit, with the indices of the flows that it holds for. */
function rules(limits: Limits, kinds: readonly { part: Part; group: string | null }[]): [number, number[]][] {
  const those = (is: (kind: { part: Part; group: string | null }) => boolean): number[] =>
    kinds.flatMap((kind, i) => (is(kind) ? [i] : []));
  const all: [number, number[]][] = [
    [limits.total, those(() => true)],
    ...(['in', 'out'] as const).map((way): [number, number[]] => [
      limits[way],
      those(k => DIRECTION_OF[k.part] === way),
    ]),
    ...PARTS.map((part): [number, number[]] => [limits[part], those(kind => kind.part === part)]),
    ...PARTS.map((part): [number, number[]] => [
      limits.group,
      those(kind => kind.part === part && kind.group === 'friends'),
    ]),
    ...kinds.map((_, i): [number, number[]] => [limits.slot, [i]]),
  ];
  return all.filter(([limit, held]) => limit > 0 && held.length > 0);
}

t.test('no limit is passed in any window by more than its burst, and nobody gets more than he wants', async t => {
  const rounds = fc.array(
    fc.record({
      ms: fc.integer({ min: 0, max: 700 }),
      wants: fc.array(fc.nat(400_000), { minLength: 8, maxLength: 8 }),
    }),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(
    fc.property(limits, flows, rounds, (limits, kinds, rounds) => {
      const [scheduler, all] = scheduled(limits, kinds);
      let now = 0;
      const used: { at: number; granted: number[] }[] = [];
      for (const { ms, wants } of rounds) {
        now += ms;
        for (const [i, flow] of all.entries()) flow.want = wants[i] ?? 0;
        scheduler.grant(now, all);
        for (const { granted, want } of all)
          if (granted > want || granted < 0 || !Number.isSafeInteger(granted)) return false;
        used.push({ at: now, granted: all.map(({ granted }) => granted) });
      }
      for (const [limit, held] of rules(limits, kinds)) {
        for (const [i, first] of used.entries()) {
          let sum = 0;
          for (const { at, granted } of used.slice(i)) {
            for (const index of held) sum += granted[index] ?? 0;
            if (1000 * sum > limit * (at - first.at) + 1000 * burstBytes(limit)) return false;
          }
        }
      }
      return true;
    }),
  );
  t.pass();
});

t.test('in each round a flow that wants more is held by a limit that has nothing left', async t => {
  fc.assert(
    fc.property(limits, flows, fc.array(fc.nat(300_000), { minLength: 8, maxLength: 8 }), (limits, kinds, wants) => {
      const [scheduler, all] = scheduled(limits, kinds);
      for (const [i, flow] of all.entries()) flow.want = wants[i] ?? 0;
      scheduler.grant(150, all);
      const exhausted = rules(limits, kinds).filter(
        ([limit, held]) =>
          held.reduce((sum, i) => sum + (all[i]?.granted ?? 0), 0) ===
          Math.min(burstBytes(limit), Math.floor((limit * 150) / 1000)),
      );
      return all.every(({ granted, want }, i) => granted === want || exhausted.some(([, held]) => held.includes(i)));
    }),
  );
  t.pass();
});

t.test('nobody starves: who wants bytes gets some within as many rounds as there are flows', async t => {
  fc.assert(
    fc.property(limits, flows, fc.array(fc.nat(50_000), { minLength: 400, maxLength: 400 }), (limits, kinds, wants) => {
      const [scheduler, all] = scheduled({ ...limits, slot: 0 }, kinds);
      const waited = all.map(() => 0);
      let now = 0;
      for (let round = 0; round < 50; round++) {
        // the first always wants a lot, the others as chance has it; a round comes when there is a byte for everybody's limits
        now += 1000;
        for (const [i, flow] of all.entries()) flow.want = i === 0 ? 1_000_000 : (wants[8 * round + i] ?? 0);
        scheduler.grant(now, all);
        for (const [i, { want, granted }] of all.entries())
          waited[i] = want === 0 || granted > 0 ? 0 : (waited[i] ?? 0) + 1;
        if ((waited[0] ?? 0) > 64) return false;
      }
      return true;
    }),
  );
  t.pass();
});

t.test('ten uploads under 1 MB/s get a tenth each, and together all of it', async t => {
  const scheduler = new Scheduler();
  scheduler.limit('upload', 1_000_000, 0);
  const flows = Array.from({ length: 10 }, () => scheduler.flow('upload'));
  const got = flows.map(() => 0);
  for (let now = 25; now <= 20_000; now += 25) {
    for (const flow of flows) flow.want = 1 << 20;
    scheduler.grant(now, flows);
    for (const [i, { granted }] of flows.entries()) got[i] = (got[i] ?? 0) + granted;
  }
  t.equal(
    got.reduce((sum, bytes) => sum + bytes),
    20_000_000,
  );
  for (const bytes of got) t.ok(Math.abs(bytes - 2_000_000) <= 4096, `${bytes}`);
});

t.test(
  'what one cannot use is lent in the same round, and parts are equals whatever their number of flows',
  async t => {
    const scheduler = new Scheduler();
    scheduler.limit('total', 1_000_000, 0);
    const uploads = Array.from({ length: 3 }, () => scheduler.flow('upload'));
    const download = scheduler.flow('download');
    for (const flow of uploads) flow.want = 1_000_000;
    download.want = 1_000_000;
    scheduler.grant(120, [...uploads, download]);
    t.strictSame([...uploads.map(({ granted }) => granted), download.granted], [20_000, 20_000, 20_000, 60_000]);
    download.want = 30_000;
    scheduler.grant(240, [...uploads, download]);
    t.strictSame([...uploads.map(({ granted }) => granted), download.granted], [30_000, 30_000, 30_000, 30_000]);
  },
);

t.test('the limit of a group holds for its flows together, its rest goes to the others', async t => {
  const scheduler = new Scheduler();
  scheduler.limit('upload', 1_000_000, 0);
  scheduler.limitGroup('upload', 'strangers', 100_000, 0);
  const [a, b, c] = ['strangers', 'strangers', null].map(group => scheduler.flow('upload', group)) as [
    Flow,
    Flow,
    Flow,
  ];
  for (const flow of [a, b, c]) flow.want = 1_000_000;
  scheduler.grant(100, [a, b, c]);
  t.strictSame([a.granted, b.granted, c.granted], [5000, 5000, 90_000]);
});

t.test('a limit of a slot holds for one flow', async t => {
  const scheduler = new Scheduler();
  const flow = scheduler.flow('upload');
  t.notOk(flow.limited);
  flow.bucket.limit(1000, 0);
  t.ok(flow.limited);
  flow.want = 5000;
  scheduler.grant(100, [flow]);
  t.equal(flow.granted, 100);
  t.equal(scheduler.waitMs(100, [flow]), 200, 'until the burst of the limit is there');
});

t.test('with 1 byte per second for all, flows take turns', async t => {
  const scheduler = new Scheduler();
  scheduler.limit('total', 1, 0);
  const flows = PARTS.flatMap(part => [scheduler.flow(part), scheduler.flow(part)]);
  const got = flows.map(() => 0);
  for (let second = 1; second <= 80; second++) {
    for (const flow of flows) flow.want = 1000;
    scheduler.grant(1000 * second, flows);
    for (const [i, { granted }] of flows.entries()) got[i] = (got[i] ?? 0) + granted;
  }
  t.strictSame(
    got,
    flows.map(() => 10),
  );
});

t.test('bytes sent beyond a grant are paid for by all limits above', async t => {
  const scheduler = new Scheduler();
  scheduler.limit('overlay', 1000, 0);
  const link = scheduler.flow('overlay');
  scheduler.charge(link, 300);
  link.want = 100;
  scheduler.grant(200, [link]);
  t.equal(link.granted, 0);
  scheduler.grant(400, [link]);
  t.equal(link.granted, 100);
});

t.test('a hundred thousand flows are decided in time that grows as they do', async t => {
  const scheduler = new Scheduler();
  scheduler.limit('upload', 1_000_000, 0);
  const flows = Array.from({ length: 100_000 }, () => scheduler.flow('upload'));
  for (const flow of flows) flow.want = 100_000;
  // each compared with each would take longer than the time limit of a test
  for (let round = 1; round <= 20; round++) scheduler.grant(25 * round, flows);
  const granted = flows.reduce((sum, flow) => sum + flow.granted, 0);
  t.ok(granted > 0 && granted <= 1_000_000, `${granted} bytes`);
});
