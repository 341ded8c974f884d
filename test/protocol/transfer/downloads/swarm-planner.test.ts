import t from 'tap';
import { HOST_LIMITS, HostLimits } from '../../../../protocol/transfer/downloads/host-limits.ts';
import { PLAIN_SOURCE } from '../../../../protocol/transfer/downloads/source.ts';
import { RETRY_TIMES } from '../../../../protocol/transfer/downloads/source-retry.ts';
import { SWARM_LIMITS, type SwarmCommand } from '../../../../protocol/transfer/downloads/swarm-command.ts';
import type { SwarmSource } from '../../../../protocol/transfer/downloads/swarm-source.ts';
import { SOURCES_MAX } from '../../../../protocol/transfer/downloads/swarm-sources.ts';
import { RangeSet } from '../../../../protocol/transfer/range-set.ts';
import { type Behaviour, VirtualSwarm } from '../../../support/virtual-swarm.ts';

const KIB = 1024;
const MIB = 1 << 20;
const HOUR = 3_600_000;
const set = (...pairs: [number, number][]) => RangeSet.of(pairs.map(([start, end]) => ({ start, end })));

function swarmOf(size: number, sources: Partial<Behaviour>[], hosts: HostLimits | null = null): VirtualSwarm {
  const swarm = new VirtualSwarm(size, 13, {}, hosts);
  sources.forEach((changes, i) => {
    swarm.add(`s${i}`, changes);
  });
  return swarm;
}

function source(swarm: VirtualSwarm, key: string): SwarmSource {
  const found = [...swarm.planner].find(each => each.key === key);
  if (found === undefined) throw new Error(`no source ${key}`);
  return found;
}

const kinds = (commands: SwarmCommand[]) => commands.map(({ kind }) => kind);
const asks = (commands: SwarmCommand[]) =>
  commands.flatMap(command => (command.kind === 'ask' ? [[command.range.start, command.range.end]] : []));

/** Connects to the source, and gives what it is asked for. */
function firstAsk(swarm: VirtualSwarm, key: string, now = 0): [number, number] | null {
  swarm.planner.onReady(source(swarm, key), now);
  return (asks(swarm.planner.next(now))[0] ?? null) as [number, number] | null;
}

t.test('eight sources of 4 MB/s bring nine tenths of the sum', async t => {
  const size = 1 << 30;
  const swarm = swarmOf(size, Array(8).fill({ rate: 4e6 }));
  swarm.run(HOUR);
  const rate = (size * 1000) / ((swarm.completedAt ?? Number.POSITIVE_INFINITY) - 1000);
  t.ok(rate > 0.9 * 32e6, `${(rate / 1e6).toFixed(1)} MB/s`);
  t.ok(swarm.planner.wasted < 0.005 * size, `${swarm.planner.wasted} bytes came twice`);
  t.comment(`${(rate / 1e6).toFixed(1)} MB/s, ${swarm.planner.wasted} bytes came twice`);
});

t.test('one slow source among fast ones does not hold the end', async t => {
  const swarm = swarmOf(64 * MIB, [{ rate: 4 * MIB }, { rate: 4 * MIB }, { rate: 16 * KIB }]);
  swarm.run(HOUR);
  t.ok((swarm.completedAt ?? HOUR) < 14_000, `${swarm.completedAt} ms`);
});

t.test('a source that stalls is replaced within 15 s, and what it brought is kept', async t => {
  const swarm = swarmOf(32 * MIB, [{ rate: MIB, stallsAfter: 200 * KIB }, { rate: 64 * KIB }]);
  const stalled = source(swarm, 's0');
  let silentAt: number | null = null;
  let replacedAt: number | null = null;
  swarm.onStep = () => {
    if (stalled.bytes >= 200 * KIB) silentAt ??= swarm.now;
    if (silentAt !== null && stalled.order?.stalled) replacedAt ??= swarm.now;
  };
  swarm.run(14_000);
  t.equal(stalled.bytes, 200 * KIB);
  t.ok((replacedAt ?? HOUR) - (silentAt ?? 0) <= 15_000, `silent at ${silentAt}, replaced at ${replacedAt}`);
  t.equal(swarm.map.gap(0, MIB, 'missing'), null, 'the other is asked for the rest of its range');
  t.ok(swarm.connections.has(stalled), 'the connection may still go on');
});

t.test('a silent source that goes on keeps what nobody else was asked for', async t => {
  const swarm = swarmOf(4 * MIB, [{}, {}]);
  swarm.planner.next(0);
  t.strictSame(firstAsk(swarm, 's0'), [0, 256 * KIB]);
  const s0 = source(swarm, 's0');
  swarm.planner.onReady(source(swarm, 's1'), 0);
  swarm.planner.next(9000);
  swarm.planner.onBytes(source(swarm, 's1'), 256 * KIB, 300 * KIB, 9000);
  swarm.planner.next(10_000);
  t.equal(swarm.map.bytes('assigned'), 212 * KIB, 'its range went back');
  t.strictSame(swarm.planner.onBytes(s0, 0, 1000, 11_000), [{ start: 0, end: 1000 }]);
  t.equal(swarm.map.bytes('assigned'), 212 * KIB + 256 * KIB - 1000);
});

t.test('requests grow with what of a source was right, and with its rate', async t => {
  const asked = (rates: readonly number[], sliceBytes: number | null, isRight: (request: number) => boolean) => {
    const swarm = swarmOf(400 * MIB, [{}]);
    swarm.planner.trust.sliceBytes = sliceBytes;
    swarm.planner.next(0);
    const s0 = source(swarm, 's0');
    const sizes: number[] = [];
    let now = 0;
    let range = firstAsk(swarm, 's0');
    for (const perSecond of rates) {
      const [start = 0, end = 0] = range ?? [];
      sizes.push((end - start) / MIB);
      now += ((end - start) / perSecond) * 1000;
      swarm.planner.onBytes(s0, start, end, now);
      swarm.planner.onAnswered(s0, now);
      if (isRight(sizes.length)) swarm.planner.onRight(s0.number, end - start);
      else now += 1000;
      range = firstAsk(swarm, 's0', now);
    }
    return sizes;
  };
  const growing = [MIB, MIB, MIB, MIB, MIB, 100 * MIB, 100 * MIB];
  const right = asked(growing, 128 * KIB, () => true);
  t.strictSame(right, [0.25, 1, 5, 10, 10, 10, 16], 'verified at once');
  t.strictSame(
    asked(growing, null, () => false),
    [0.25, 0.25, 0.5, 1, 2, 4, 8],
    'without a tree',
  );
  t.strictSame(asked(growing, 128 * KIB, () => false).slice(0, 3), [0.25, 0.25, 0.25], 'no verdict comes');
  t.strictSame(asked(growing, 2 * MIB, i => i > 2).slice(0, 4), [0.25, 1.75, 2, 8], 'at least a slice');
});

t.test('a source is asked for more when its first slice is judged, or after a second', async t => {
  const begun = () => {
    const swarm = swarmOf(8 * MIB, [{}]);
    swarm.planner.next(0);
    firstAsk(swarm, 's0');
    swarm.planner.onBytes(source(swarm, 's0'), 0, 256 * KIB, 100);
    swarm.planner.onAnswered(source(swarm, 's0'), 100);
    t.equal(firstAsk(swarm, 's0', 100), null);
    return swarm;
  };
  const judged = begun();
  judged.planner.onRight(source(judged, 's0').number, 128 * KIB);
  t.strictSame(asks(judged.planner.next(110)), [[256 * KIB, 768 * KIB]]);
  const unjudged = begun();
  t.strictSame(asks(unjudged.planner.next(1099)), []);
  t.equal(unjudged.planner.nextAt(1099), 1100);
  t.strictSame(asks(unjudged.planner.next(1100)), [[256 * KIB, 512 * KIB]]);
});

t.test('a right slice of a source that still sends is no reason to decide anew', async t => {
  const swarm = swarmOf(8 * MIB, [{}]);
  swarm.planner.next(0);
  firstAsk(swarm, 's0');
  swarm.planner.onBytes(source(swarm, 's0'), 0, 128 * KIB, 100);
  swarm.planner.next(100);
  const at = swarm.planner.nextAt(100);
  swarm.planner.onRight(source(swarm, 's0').number, 128 * KIB);
  t.equal(swarm.planner.nextAt(100), at);
  t.ok(at === null || at > 100, `${at}`);
});

t.test('while a hash tree is on its way nobody is asked for more, for a second', async t => {
  const swarm = swarmOf(8 * MIB, [{}, {}]);
  swarm.planner.trust.sliceBytes = null;
  swarm.planner.next(0);
  firstAsk(swarm, 's0');
  swarm.planner.onBytes(source(swarm, 's0'), 0, 256 * KIB, 100);
  swarm.planner.onAnswered(source(swarm, 's0'), 100);
  swarm.planner.treeAskedAt = 100;
  t.equal(firstAsk(swarm, 's0', 100), null);
  t.equal(swarm.planner.nextAt(100), 1100);
  t.strictSame(firstAsk(swarm, 's1', 100), [256 * KIB, 512 * KIB], 'but for its first bytes');
  swarm.planner.treeAskedAt = null;
  t.strictSame(asks(swarm.planner.next(200)), [[512 * KIB, 768 * KIB]], 'it did not come');
});

t.test('who closes after each answer is asked for as much as is its share', async t => {
  const swarm = swarmOf(100 * MIB, [{ closes: true, rate: MIB }]);
  swarm.run(HOUR);
  const sizes = asks(swarm.log.map(({ command }) => command)).map(([start = 0, end = 0]) => end - start);
  t.strictSame(sizes, [256 * KIB, 100 * MIB - 256 * KIB]);
});

t.test(
  'a file of unknown size is asked of one source until the size is told, and of others when that takes long',
  async t => {
    const swarm = new VirtualSwarm(8 * MIB, 1, {}, null, false);
    const { planner } = swarm;
    for (const key of ['a', 'b', 'c', 'd', 'e']) swarm.add(key);
    t.strictSame(kinds(planner.next(0)), ['connect', 'connect', 'connect', 'connect', 'search']);
    t.strictSame(firstAsk(swarm, 'a'), [0, 256 * KIB]);
    planner.onReady(source(swarm, 'b'), 1);
    planner.onReady(source(swarm, 'c'), 1);
    t.strictSame(planner.next(1), []);
    t.equal(planner.nextAt(1), 3000);
    planner.onBytes(source(swarm, 'a'), 0, 10, 2000);
    t.strictSame(asks(planner.next(3000)), [[10, 256 * KIB]], 'the same bytes');
    swarm.map.settle(8 * MIB);
    t.strictSame(kinds(planner.next(3001)), ['ask', 'connect']);
  },
);

t.test('while the size is unknown, who is silent for 15 s is left, where there is another', async t => {
  const swarm = new VirtualSwarm(8 * MIB, 1, {}, null, false);
  const { planner } = swarm;
  swarm.add('a');
  planner.next(0);
  t.strictSame(firstAsk(swarm, 'a'), [0, 256 * KIB]);
  t.notOk(kinds(planner.next(20_000)).includes('cut'), 'nobody else is there');
  swarm.add('b');
  t.ok(kinds(planner.next(21_000)).includes('cut'));
  t.match(source(swarm, 'a'), { state: 'waiting', error: 'sent nothing for too long' });
});

t.test('the rarest range comes first when partial sources are known, and in order for a player', async t => {
  const sources = () => swarmOf(8 * MIB, [{}, {}, {}]);
  const prepare = (swarm: VirtualSwarm) => {
    source(swarm, 's1').available = set([0, 6 * MIB]);
    source(swarm, 's2').available = set([0, 2 * MIB], [4 * MIB, 8 * MIB]);
    swarm.planner.next(0);
  };
  const rare = sources();
  prepare(rare);
  t.strictSame(firstAsk(rare, 's0'), [2 * MIB, 2.25 * MIB], 'one of the two has it, and it is the first such');
  t.strictSame(firstAsk(rare, 's2'), [6 * MIB, 6.25 * MIB]);
  t.strictSame(firstAsk(rare, 's1'), [2.25 * MIB, 2.5 * MIB]);

  const played = sources();
  prepare(played);
  played.planner.inOrder = true;
  t.strictSame(firstAsk(played, 's0'), [0, 256 * KIB]);
  played.planner.priorityRange(5 * MIB);
  t.strictSame(firstAsk(played, 's1'), [5 * MIB, 5.25 * MIB]);
  t.strictSame(firstAsk(played, 's2'), [5.25 * MIB, 5.5 * MIB]);
});

t.test('what forgotten sources had is not rare any more', async t => {
  const swarm = swarmOf(8 * MIB, [{}, { hearsay: true }, { hearsay: true }]);
  for (const key of ['s1', 's2']) source(swarm, key).available = set([0, 2 * MIB]);
  swarm.planner.next(0);
  t.strictSame(firstAsk(swarm, 's0'), [2 * MIB, 2.25 * MIB]);
  for (const key of ['s1', 's2']) swarm.planner.onReleased(source(swarm, key), 0);
  for (let i = 0; i < SOURCES_MAX; i++) swarm.add(`found ${i}`);
  t.strictSame(firstAsk(swarm, 's0'), [0, 256 * KIB]);
});

t.test('a source under suspicion for a range is asked for it only when nobody else is left', async t => {
  const swarm = swarmOf(MIB, [{}, {}]);
  swarm.planner.next(0);
  const s0 = source(swarm, 's0');
  s0.barred = set([0, MIB]);
  t.equal(firstAsk(swarm, 's0'), null);
  swarm.planner.onDropped(source(swarm, 's1'), 'gone', 0);
  t.strictSame(asks(swarm.planner.next(0)), [[0, 256 * KIB]]);
});

t.test('waits double from a minute to an hour, then the source is dropped, and none is left', async t => {
  const swarm = swarmOf(MIB, [{}]);
  const waits: number[] = [];
  const s0 = source(swarm, 's0');
  let now = 0;
  let commands = swarm.planner.next(now);
  while (commands.some(({ kind }) => kind === 'connect')) {
    swarm.planner.onFailed(s0, 'refused', now);
    const { until } = s0;
    if (until > now) waits.push((until - now) / 1000);
    now = until;
    commands = swarm.planner.next(now);
  }
  const around = [60, 120, 240, 480, 960, 1920, 3600, 3600];
  t.ok(
    around.every((seconds, i) => Math.abs((waits[i] ?? 0) - seconds) <= seconds / 5),
    waits.join(),
  );
  t.equal(waits.length, RETRY_TIMES.failuresMax - 1);
  t.match(s0, { state: 'dropped', error: 'refused' });
  t.match(commands, [{ kind: 'giveUp', reason: /^no source is left \(refused\)/ }]);
  t.strictSame(swarm.planner.next(now + 1), [], 'that is said once');
  t.equal(swarm.planner.nextAt(now + 1), null);
  t.notOk(swarm.planner.add('s0', { ...PLAIN_SOURCE, endpoint: { host: '10.0.0.1', port: 1 } }), 'it stays dropped');
  swarm.planner.reset();
  t.strictSame(kinds(swarm.planner.next(now + 2)).slice(0, 1), ['connect'], 'unless the user wants it again');
});

t.test('a cut connection that gave something is tried again soon, once', async t => {
  const swarm = swarmOf(8 * MIB, [{}]);
  const s0 = source(swarm, 's0');
  const cutAt = (now: number) => {
    swarm.planner.next(now);
    const range = firstAsk(swarm, 's0', now);
    swarm.planner.onBytes(s0, range?.[0] ?? 0, (range?.[0] ?? 0) + 1000, now);
    swarm.planner.onFailed(s0, 'cut', now);
    return s0.until - now;
  };
  t.equal(cutAt(0), 15_000);
  t.equal(swarm.map.bytes('assigned'), 0);
  t.ok(cutAt(15_000) >= 48_000);
  s0.until = 0;
  swarm.planner.next(100_000);
  swarm.planner.onAnswered(s0, 100_000);
  swarm.planner.onFailed(s0, 'refused', 100_000);
  t.equal(cutAt(300_000), 15_000, 'an answer in between makes it good again');
});

t.test('busy is no failure, forbidden is after three times', async t => {
  const swarm = swarmOf(MIB, [{}]);
  const s0 = source(swarm, 's0');
  const { planner } = swarm;
  for (let i = 1; i <= 50; i++) {
    planner.next(i * 1e6);
    planner.onBusy(s0, 'busy', 45, i * 1e6);
  }
  t.match(s0, { state: 'waiting', until: 50e6 + 45_000, failures: 0 });
  planner.next(1e9);
  planner.onBusy(s0, 'busy', null, 1e9);
  t.equal(s0.until, 1e9 + 60_000);
  for (const now of [2e9, 3e9, 4e9]) {
    planner.next(now);
    planner.onForbidden(s0, 'banned', 5, now);
    if (now < 4e9) t.equal(s0.until, now + 360_000, 'six minutes at least');
  }
  t.equal(s0.state, 'dropped');
});

t.test('a queue that calls is connected to at once, and a queued source owes nothing', async t => {
  const swarm = swarmOf(MIB, [{}], new HostLimits());
  const s0 = source(swarm, 's0');
  const { planner, map } = swarm;
  planner.next(0);
  firstAsk(swarm, 's0');
  s0.place = { position: 3, id: 'AB'.repeat(16) };
  const status = {
    position: 3,
    length: 8,
    limit: null,
    pollMinSeconds: 45,
    pollMaxSeconds: 120,
    etaSeconds: 90,
    id: 'ab',
  };
  planner.onQueued(s0, status, 10);
  t.match(s0, { state: 'queued', queue: { position: 3, length: 8, eta: 90 }, error: 'queued at place 3' });
  t.equal(map.bytes('missing'), MIB);
  planner.onBusy(s0, 'closed', 600, 20);
  t.equal(planner.onCalled('00'.repeat(16)), null);
  t.equal(planner.onCalled('ab'.repeat(16)), s0);
  t.match(planner.next(30), [{ kind: 'connect', source: s0 }]);
  t.equal(s0.called, false);
});

t.test('connections to one address are limited over all downloads, and spaced', async t => {
  const hosts = new HostLimits(HOST_LIMITS);
  const first = swarmOf(MIB, [{ host: '10.1.1.1' }], hosts);
  const second = swarmOf(MIB, [{ host: '10.1.1.1' }], hosts);
  const third = swarmOf(MIB, [{ host: '10.1.1.1' }], hosts);
  t.strictSame(kinds(first.planner.next(0)), ['connect', 'search']);
  t.strictSame(kinds(second.planner.next(0)), ['search']);
  t.equal(second.planner.nextAt(0), 12_000);
  t.strictSame(kinds(second.planner.next(12_000)), ['connect']);
  t.strictSame(kinds(third.planner.next(100_000)), ['search'], 'two at a time');
  first.planner.onReleased(source(first, 's0'), 100_000);
  t.strictSame(kinds(third.planner.next(102_000)), ['connect']);
});

t.test(
  'a list of alternates is no weapon: an address that others name is dialled twice a download, and six times an hour',
  async t => {
    const hosts = new HostLimits({ connections: null, spacingMs: 0, hearsayDials: 6, unansweredDials: 20 });
    let dials = 0;
    for (let download = 0; download < 10; download++) {
      const swarm = new VirtualSwarm(MIB, 1, {}, hosts);
      for (let port = 0; port < 50; port++) swarm.add(`victim ${port}`, { hearsay: true, host: '10.6.6.6' });
      let ours = 0;
      for (let now = 0; now < HOUR; now = Math.max(now + 1000, swarm.planner.nextAt(now) ?? HOUR)) {
        for (const command of swarm.planner.next(now)) {
          if (command.kind !== 'connect') continue;
          ours++;
          swarm.planner.onFailed(command.source, 'refused', now);
        }
      }
      t.ok(ours <= 2, `${ours} dials`);
      dials += ours;
    }
    t.equal(dials, 6);
    t.equal(hosts.refused, 1);
  },
);

t.test(
  'forged hits are no weapon: an address that does not answer is dialled twenty times an hour, one that does as before',
  async t => {
    const dials = (answer: 'nothing' | 'busy' | 'bytes', perHour: number, hours = 1) => {
      const hosts = new HostLimits();
      const swarms = Array.from({ length: 40 }, () => new VirtualSwarm(MIB, 1, {}, hosts));
      for (const [i, swarm] of swarms.entries()) swarm.add(`victim ${i}`, { host: '5.6.6.6' });
      let count = 0;
      for (let now = 0; now < hours * HOUR; now += 1000)
        for (const swarm of swarms)
          for (const command of swarm.planner.next(now)) {
            if (command.kind !== 'connect') continue;
            count++;
            if (answer === 'busy') swarm.planner.onBusy(command.source, 'busy', 60, now);
            else if (answer === 'bytes' && count === 1) {
              swarm.planner.onReady(command.source, now);
              swarm.planner.next(now);
              swarm.planner.onBytes(command.source, 0, 10, now);
            }
            swarm.planner.onFailed(command.source, 'refused', now);
          }
      t.equal(hosts.refused, count === perHour * hours ? hours : 0, answer);
      return count;
    };
    t.equal(dials('nothing', 20, 2), 40);
    t.equal(dials('busy', 20), 300, 'spaced by 12 s');
    t.ok(dials('bytes', 20) > 100);
  },
);

t.test('hearsay that is true is a source like any other', async t => {
  const swarm = swarmOf(4 * MIB, [{ hearsay: true }]);
  swarm.run(HOUR);
  t.ok(swarm.map.allVerified);
  t.notOk(source(swarm, 's0').hearsay);
});

t.test('a full table forgets dropped sources for new ones, and those that were only named', async t => {
  const swarm = swarmOf(MIB, [{}]);
  for (let i = 0; i < 300; i++) swarm.add(`named ${i}`, { hearsay: true });
  t.equal(swarm.planner.size, SOURCES_MAX);
  t.equal(swarm.add('named too', { hearsay: true }), null);
  for (let i = 0; i < SOURCES_MAX - 1; i++) t.ok(swarm.add(`found ${i}`), 'found');
  t.equal(swarm.add('found too'), null, 'nobody is left that was only named');
  swarm.planner.onDropped(source(swarm, 's0'), 'gone', 0);
  t.ok(swarm.add('found too'));
  t.equal(swarm.planner.size, SOURCES_MAX);
});

t.test('a source of wrong bytes is not added again, unless the charge was false', async t => {
  const swarm = swarmOf(MIB, [{}]);
  const s0 = source(swarm, 's0');
  swarm.planner.next(0);
  swarm.planner.onCorrupt(s0, 'corrupt: wrong bytes', 0);
  swarm.planner.reset();
  t.match(s0, { state: 'dropped', error: 'corrupt: wrong bytes' });
  for (let i = 0; i < SOURCES_MAX; i++) swarm.add(`other ${i}`);
  t.equal(swarm.planner.get(s0.number), null, 'it was forgotten');
  t.equal(swarm.add('s0'), null, 'but not what it did');

  const moving = swarmOf(MIB, [{ host: '5.6.6.6' }]);
  moving.planner.onCorrupt(source(moving, 's0'), 'corrupt: wrong bytes', 0);
  t.notOk(moving.planner.add('x', { ...PLAIN_SOURCE, endpoint: { host: '5.6.6.6', port: 7777 } }), 'another port');
  t.ok(moving.planner.add('y', { ...PLAIN_SOURCE, endpoint: { host: '5.6.6.7', port: 7777 } }), 'another address');
  moving.planner.onPardoned(source(moving, 's0'));
  t.ok(moving.planner.add('x', { ...PLAIN_SOURCE, endpoint: { host: '5.6.6.6', port: 7777 } }), 'pardoned');
  const lan = swarmOf(MIB, [{ host: '192.168.1.2' }]);
  lan.planner.onCorrupt(source(lan, 's0'), 'corrupt: wrong bytes', 0);
  t.ok(lan.planner.add('x', { ...PLAIN_SOURCE, endpoint: { host: '192.168.1.2', port: 7777 } }), 'others may share it');

  const pardoned = swarmOf(MIB, [{}]);
  for (let i = 0; i < 2; i++) pardoned.planner.onCorrupt(source(pardoned, 's0'), 'corrupt: wrong bytes', 0);
  t.match(pardoned.planner.next(0), [{ kind: 'giveUp' }]);
  pardoned.planner.onPardoned(source(pardoned, 's0'));
  t.strictSame(kinds(pardoned.planner.next(1)), ['connect', 'search']);
  pardoned.planner.onPardoned(source(pardoned, 's0'));
  t.strictSame(
    pardoned.charges,
    [
      ['s0', true],
      ['s0', false],
    ],
    'it is told once',
  );
});

t.test('the network is asked for more sources once, again when some came, and after a time', async t => {
  const swarm = swarmOf(MIB, [{}]);
  const { planner } = swarm;
  const isSearch = (now: number) => planner.next(now).some(({ kind }) => kind === 'search');
  t.ok(isSearch(0));
  t.notOk(isSearch(59_000));
  swarm.add('new');
  t.notOk(isSearch(59_500));
  t.ok(isSearch(60_000));
  t.notOk(isSearch(60_000 + SWARM_LIMITS.searchMs - 1));
  t.ok(isSearch(60_000 + SWARM_LIMITS.searchMs));
  for (let i = 0; i < 8; i++) swarm.add(`more ${i}`);
  t.notOk(isSearch(10 * HOUR), 'there are enough');
});

t.test('a partial source without anything of use is left, and asked again later', async t => {
  const swarm = swarmOf(MIB, [{}]);
  const s0 = source(swarm, 's0');
  swarm.planner.next(0);
  swarm.map.receive(0, 512 * KIB, 99);
  s0.available = set([0, 512 * KIB]);
  swarm.planner.onReady(s0, 0);
  t.match(swarm.planner.next(0), [{ kind: 'cut', source: s0, reason: 'has none of the bytes that are missing' }]);
  t.equal(s0.until, RETRY_TIMES.unavailableMs);
  t.match(swarm.planner.next(RETRY_TIMES.unavailableMs), [{ kind: 'connect', source: s0 }]);
  t.strictSame(firstAsk(swarm, 's0', RETRY_TIMES.unavailableMs), [512 * KIB, 768 * KIB], 'it may have more by now');
});
