// A thousand downloads on a virtual clock, each with sources that come, go, stall, lie, hold parts, are slow, queue us, or close.
import assert from 'node:assert/strict';
import t from 'tap';
import { HOST_LIMITS, HostLimits } from '../../../../protocol/transfer/downloads/host-limits.ts';
import { SWARM_LIMITS } from '../../../../protocol/transfer/downloads/swarm-command.ts';
import { RangeSet } from '../../../../protocol/transfer/range-set.ts';
import { SeededRandom } from '../../../support/virtual-network.ts';
import { type Behaviour, VirtualSwarm } from '../../../support/virtual-swarm.ts';

const MIB = 1 << 20;
const HOUR = 3_600_000;

/** What must hold at any time. */
function checkSwarm(swarm: VirtualSwarm): void {
  const { map, planner, size } = swarm;
  let at = 0;
  let active = 0;
  const sums = { missing: 0, assigned: 0, received: 0, verified: 0 };
  for (const { start, end, state, source } of map) {
    assert.equal(start, at, 'no hole and no overlap');
    at = end;
    sums[state] += end - start;
    if (state !== 'assigned') continue;
    const by = source === null ? null : planner.get(source);
    assert.equal(by?.state, 'asking', 'assigned bytes are asked for');
    assert.ok(by?.order && start >= by.order.start && end <= by.order.end, `${by?.key} owes [${start}, ${end})`);
  }
  assert.equal(at, map.size ?? Number.MAX_SAFE_INTEGER);
  for (const state of ['missing', 'assigned', 'received', 'verified'] as const)
    assert.equal(map.bytes(state), sums[state]);
  for (const source of planner) {
    assert.equal(source.state === 'asking', source.order !== null);
    assert.equal(source.isConnected, swarm.connections.has(source), `${source.key} is ${source.state}`);
    if (source.state === 'queued') continue;
    if (source.isConnected && source.order?.stalled !== true) active++;
  }
  assert.ok(active <= SWARM_LIMITS.connections + 1, `${active} connections`);
  assert.ok(size >= 0);
}

interface Scenario {
  swarm: VirtualSwarm;
  sources: Behaviour[];
  /** Whether the sources that are honest, and stay or come back, have all of it together. */
  isPossible: boolean;
}

function scenario(seed: number): Scenario {
  const random = new SeededRandom(seed * 7919 + 1);
  for (let i = 0; i < 8; i++) random.next();
  const one = (n: number) => random.below(n) === 0;
  const size = one(12) ? random.below(300_000) : (1 + random.below(24)) * MIB + random.below(MIB);
  const swarm = new VirtualSwarm(size, seed, {}, one(2) ? new HostLimits(HOST_LIMITS) : null, !one(6));
  const sources: Behaviour[] = [];
  const covered = RangeSet.of();
  const count = 1 + random.below(one(5) ? 40 : 8);
  for (let i = 0; i < count; i++) {
    const changes: Partial<Behaviour> = {
      rate: 8192 << random.below(11),
      latencyMs: 10 + random.below(400),
      host: `10.0.0.${i}`,
    };
    let isHonest = true;
    if (one(3)) {
      const from = random.below(size + 1);
      const to = from + random.below(size - from + 1);
      changes.available = RangeSet.of([{ start: Math.min(from, to), end: Math.max(from, to) }]);
      if (one(2)) changes.available.add(0, Math.min(size, random.below(MIB)));
    }
    if (one(5)) changes.closes = true;
    if (one(5)) changes.answerMax = 65_536 << random.below(5);
    if (one(8)) changes.startsLater = random.below(100_000);
    if (one(6)) changes.queuePolls = 1 + random.below(4);
    if (one(8)) changes.hearsay = true;
    if (one(6)) {
      changes.stallsAfter = random.below(2 * MIB);
      isHonest = false;
    }
    if (one(7)) {
      changes.liesEvery = 1 + random.below(9);
      isHonest = false;
    }
    if (one(5)) {
      const gone = random.below(60_000);
      const back = gone + random.below(300_000);
      const isBack = one(2) && changes.hearsay !== true;
      changes.up = isBack
        ? [
            { start: 0, end: gone },
            { start: back, end: Number.MAX_SAFE_INTEGER },
          ]
        : [{ start: 0, end: gone }];
      if (!isBack) isHonest = false;
    }
    swarm.add(`s${i}`, changes);
    sources.push(swarm.behaviourOf({ key: `s${i}` } as never));
    if (isHonest)
      for (const range of changes.available ?? [{ start: 0, end: size }]) covered.add(range.start, range.end);
  }
  return { swarm, sources, isPossible: covered.covers(0, size) };
}

t.test('a thousand downloads complete whenever the honest sources have all of it together', async t => {
  const began = process.cpuUsage();
  let possible = 0;
  let sizes = 0;
  let twice = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const { swarm, isPossible } = scenario(seed);
    swarm.onStep = () => checkSwarm(swarm);
    try {
      swarm.run(72 * HOUR);
      if (isPossible) {
        possible++;
        assert.ok(swarm.map.allVerified, `complete: ${swarm.map.bytes('missing')} bytes are missing of ${swarm.size}`);
      }
      const duplicates = swarm.planner.wasted - swarm.wrongBytes;
      assert.ok(duplicates <= 0.2 * swarm.size + 3 * MIB, `${duplicates} bytes came twice of ${swarm.size}`);
      sizes += swarm.size;
      twice += duplicates;
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.stack : error}`);
    }
  }
  t.ok(possible > 400, `${possible} of them could complete`);
  t.ok(twice < 0.02 * sizes, `${((100 * twice) / sizes).toFixed(2)} % came twice`);
  const { user, system } = process.cpuUsage(began);
  t.comment(
    `${possible} could complete, ${((100 * twice) / sizes).toFixed(2)} % came twice, ${(user + system) / 1e6} s`,
  );
});
