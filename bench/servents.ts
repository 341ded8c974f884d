// What a servent costs in memory and time when a process runs thousands: whole ones on a virtual network, none of their parts left out.
import { setFlagsFromString } from 'node:v8';
import type { VirtualHost } from '../sim/servents/virtual-host.ts';
import { VirtualInternet } from '../sim/servents/virtual-internet.ts';
import { liveBytes } from './process/live-bytes.ts';

export const about =
  'whole servents in one process: 10,000 leaves and 1,000 ultrapeers, memory, and a minute of their time';

const LEAVES = Number(process.env['LEAVES'] ?? 10_000);
const ULTRAPEERS = Number(process.env['ULTRAPEERS'] ?? 1_000);
const LEAF_LINKS = 3;
/** To other ultrapeers, half of them dialled. */
const ULTRAPEER_LINKS = 10;
const FILES = 3;
const SECONDS = 60;
/** One a second; each seeks a file that one leaf in fifty has. */
const SEARCHES = 50;
const TITLES = 50;
const LEAF_SLOTS = 60;

const WORDS = ['amber', 'birch', 'cedar', 'delta', 'ember', 'fjord', 'grove', 'heath', 'inlet', 'jetty'];

function title(n: number): string {
  const word = (m: number) => WORDS[m % WORDS.length];
  return `${word(n)} ${word(Math.floor(n / WORDS.length))}`;
}

export async function run(): Promise<Record<string, unknown>> {
  // the young generation stays small, as in the daemon
  setFlagsFromString('--semi-space-growth-factor=1');
  const live = liveBytes();
  const began = performance.now();
  const internet = new VirtualInternet();
  const bare = live();
  const ultrapeers = Array.from({ length: ULTRAPEERS }, () => add(internet, 'ultrapeer'));
  for (const [n, ultrapeer] of ultrapeers.entries()) {
    for (let i = 0; i < ULTRAPEER_LINKS / 2; i++) {
      // strides differ, so that no two dials lead to the same
      const other = ultrapeers[(n + 1 + i * 97) % ULTRAPEERS];
      if (other !== undefined) link(ultrapeer, other);
    }
  }
  internet.run(1_000);
  const ultrapeersAt = live();
  const leaves: VirtualHost[] = [];
  for (let n = 0; n < LEAVES; n++) {
    const leaf = add(
      internet,
      'auto',
      Array.from({ length: FILES }, (_, file) => `${title(n % TITLES)} ${file}.ogg`),
    );
    leaves.push(leaf);
    for (let i = 0; i < LEAF_LINKS; i++) {
      const ultrapeer = ultrapeers[(n + i * 331) % ULTRAPEERS];
      if (ultrapeer !== undefined) link(leaf, ultrapeer);
    }
  }
  const builtSeconds = (performance.now() - began) / 1000;
  const builtCpuSeconds = cpuSeconds();
  const builtMB = megabytes(process.memoryUsage.rss());
  const builtLive = live();
  const hosts = [...ultrapeers, ...leaves];
  const links = sum(hosts, ({ servent }) => servent.overlay.links.size) / 2;

  const ticksBefore = sum(hosts, ({ ticks }) => ticks);
  const framesBefore = sum(hosts, ({ servent }) => servent.overlay.counters.framesIn);
  const ranAt = performance.now();
  for (let second = 0; second < SECONDS; second++) {
    const seeker = leaves[(second * 211) % LEAVES];
    if (second < SEARCHES) seeker?.search(title(second % TITLES));
    internet.run(1_000);
  }
  const ranSeconds = (performance.now() - ranAt) / 1000;
  const frames = sum(hosts, ({ servent }) => servent.overlay.counters.framesIn) - framesBefore;
  const ticks = sum(hosts, host => host.ticks) - ticksBefore;
  const hits = sum(leaves, host => host.hits.length);
  if (hits < SEARCHES) throw new Error(`only ${hits} hits for ${SEARCHES} searches`);
  const lost = sum(hosts, ({ roles }) => roles.length);
  if (lost > 0) throw new Error(`${lost} servents changed their role`);
  const still = sum(hosts, ({ servent }) => servent.overlay.links.size) / 2;
  if (still < links * 0.99) throw new Error(`${still} of ${links} links left`);
  const rssMB = megabytes(process.memoryUsage.rss());
  const after = live();
  return {
    leaves: LEAVES,
    ultrapeers: ULTRAPEERS,
    links,
    builtSeconds: round(builtSeconds),
    builtCpuSeconds: round(builtCpuSeconds),
    builtMB,
    rssMB,
    liveMB: megabytes(after),
    bytesPerUltrapeer: Math.round((ultrapeersAt - bare) / ULTRAPEERS),
    // with what its three ultrapeers keep for it
    bytesPerLeafBuilt: Math.round((builtLive - ultrapeersAt) / LEAVES),
    bytesPerLeaf: Math.round((after - ultrapeersAt) / LEAVES),
    ranSeconds: round(ranSeconds),
    ranCpuSeconds: round(cpuSeconds() - builtCpuSeconds),
    ticksPerVirtualSecond: Math.round(ticks / SECONDS),
    descriptorsPerSecond: Math.round(frames / ranSeconds),
    hits,
  };
}

function add(internet: VirtualInternet, mode: 'auto' | 'ultrapeer', shares: readonly string[] = []): VirtualHost {
  const settings = { mode, maxLeaves: LEAF_SLOTS, seek: mode === 'auto' ? LEAF_LINKS : ULTRAPEER_LINKS };
  return internet.add({ profile: 'public', settings, shares });
}

function link(from: VirtualHost, to: VirtualHost): void {
  const attempt = from.join(to);
  if (attempt.kind !== 'linked') throw new Error(`no link: ${JSON.stringify(attempt)}`);
}

function sum(hosts: readonly VirtualHost[], of: (host: VirtualHost) => number): number {
  return hosts.reduce((total, host) => total + of(host), 0);
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
