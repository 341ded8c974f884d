// Decides which range a source is asked for next, in a file of 10,000 ranges with 200 sources: complete ones, and partial ones among them.

import { SystemRandom } from '../daemon/system.ts';
import { ChunkMap } from '../protocol/transfer/downloads/chunk-map.ts';
import { HostLimits } from '../protocol/transfer/downloads/host-limits.ts';
import { PLAIN_SOURCE } from '../protocol/transfer/downloads/source.ts';
import { SwarmPlanner } from '../protocol/transfer/downloads/swarm-planner.ts';
import type { SwarmSource } from '../protocol/transfer/downloads/swarm-source.ts';
import { RangeSet } from '../protocol/transfer/range-set.ts';

export const about = 'swarm planner: one decision with 10,000 ranges and 200 sources';

const RANGES = 10_000;
const RANGE_BYTES = 256 << 10;
const SIZE = RANGES * RANGE_BYTES;
const SOURCES = 200;
const RANGES_OF_PARTIAL = 50;
const DECISIONS = 4_000;
const WARM = 500;
const ROUNDS = 5;

interface Figures {
  readonly usMedian: number;
  readonly usP99: number;
}

function figuresOf(took: number[]): Figures {
  took.sort((a, b) => a - b);
  return { usMedian: took[took.length >> 1] ?? 0, usP99: took[Math.floor(took.length * 0.99)] ?? 0 };
}

/** The best of some rounds, as others' work on the machine only slows them. */
function best(rounds: readonly Figures[]): Figures {
  const least = (name: keyof Figures): number => Math.min(...rounds.map(round => round[name]));
  return { usMedian: least('usMedian'), usP99: least('usP99') };
}

function partOf(random: SystemRandom): RangeSet {
  const part = RangeSet.of();
  for (let i = 0; i < RANGES_OF_PARTIAL; i++) {
    const start = random.below(RANGES - 400) * RANGE_BYTES;
    part.add(start, start + 400 * RANGE_BYTES);
  }
  return part;
}

/** Every other range is there, of sources that differ; `partials`: of the 200 sources. */
function decide(partials: number): Figures {
  const random = new SystemRandom();
  const there = Array.from({ length: RANGES / 2 }, (_, i) => ({ start: 2 * i, end: 2 * i + 1 }));
  const map = new ChunkMap(SIZE);
  for (const { start, end } of there) map.receive(start * RANGE_BYTES, end * RANGE_BYTES, start % SOURCES);
  const planner = new SwarmPlanner({ map, random, hosts: new HostLimits() });
  for (let i = 0; i < SOURCES; i++) {
    const endpoint = { host: `10.0.${i >> 8}.${i & 255}`, port: 6346 };
    planner.add(`s${i}`, { ...PLAIN_SOURCE, endpoint });
    const source = planner.get(i);
    if (source !== null && i % SOURCES < partials) source.available = partOf(random);
  }
  let now = 1000;
  let asked: { source: SwarmSource; start: number; end: number }[] = [];
  const took: number[] = [];
  const step = () => {
    const began = process.hrtime.bigint();
    const commands = planner.next(now);
    const us = Number(process.hrtime.bigint() - began) / 1000;
    for (const command of commands) {
      if (command.kind === 'connect') planner.onReady(command.source, now);
      else if (command.kind === 'ask') {
        asked.push({ source: command.source, ...command.range });
        took.push(us);
      }
    }
  };
  for (let i = 0; i < 4; i++) step();
  while (took.length < DECISIONS + WARM) {
    const [first, ...others] = asked;
    if (first === undefined) break;
    asked = others;
    now += 50;
    planner.onBytes(first.source, first.start, first.end, now);
    planner.onAnswered(first.source, now);
    planner.onReady(first.source, now);
    step();
  }
  return figuresOf(took.slice(WARM));
}

export async function run(): Promise<Record<string, unknown>> {
  const rounds = (partials: number) => best(Array.from({ length: ROUNDS }, () => decide(partials)));
  return { ranges: RANGES, sources: SOURCES, decisions: DECISIONS, complete: rounds(0), partial: rounds(SOURCES / 2) };
}
