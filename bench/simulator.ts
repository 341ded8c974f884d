// What the simulator takes: a network of the servent's whole core, and a light model with as many nodes as fit.
import { setFlagsFromString } from 'node:v8';
import { modelOf } from '../sim/models/all.ts';
import { INTERNET } from '../sim/servents/conditions.ts';
import { GnutellaNetwork } from '../sim/servents/gnutella-network.ts';
import { searchIn } from '../sim/simulation.ts';

export const about =
  'the simulator: 10,000 servents of the whole core under load, and light models with a million nodes';

/** What is on its way lives for a tenth of a virtual second: a young generation of the usual 16 MB is full before, and is copied. */
export const flags = ['--max-semi-space-size=64'];

const SERVENTS = Number(process.env['SERVENTS'] ?? 10_000);
const LIGHT = Number(process.env['LIGHT'] ?? 1_000_000);
const MODELS = ['napster', 'gnutella04', 'chord', 'kademlia'];
const SETTLING_SECONDS = 10;
const LOADED_SECONDS = Number(process.env['SECONDS'] ?? 10);
/** A virtual second, so that the servents are busy. */
const SEARCHES = Number(process.env['SEARCHES'] ?? SERVENTS / 50);

export async function run(): Promise<Record<string, unknown>> {
  setFlagsFromString('--heap-growing-percent=25');
  const light = MODELS.map(lightModel);
  const lap = stopwatch();
  const network = new GnutellaNetwork({
    ...{ seed: 1, servents: SERVENTS, conditions: INTERNET },
    ultrapeerShare: 0.1,
    leafLinks: 3,
    ultrapeerLinks: 10,
  });
  const builtCpuSeconds = lap();
  network.internet.run(1_000 * SETTLING_SECONDS);
  const settledCpuSeconds = lap();
  const settledMB = residentMB();
  const before = descriptors(network);
  let datagrams = 0;
  network.internet.watch({ onDatagram: () => void datagrams++ });
  const asked = [];
  for (let second = 0; second < LOADED_SECONDS; second++) {
    for (const { from, file } of network.files.searches(SEARCHES)) asked.push(network.search(from, file));
    network.internet.run(1_000);
  }
  const loadedCpuSeconds = lap();
  const passed = descriptors(network) - before + datagrams;
  const servents = {
    servents: SERVENTS,
    builtCpuSeconds,
    settledCpuSeconds,
    settledMB,
    searches: asked.length,
    found: asked.filter(search => (search?.hits ?? 0) > 0).length,
    descriptors: passed,
    descriptorsPerCpuSecond: Math.round(passed / loadedCpuSeconds),
    loadedMB: residentMB(),
    trace: network.internet.trace.hex,
  };
  return { ...servents, light };
}

/** Seconds of processor time since the call before. */
function stopwatch(): () => number {
  let last = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    return Math.round((user + system) / 1e4) / 100;
  };
}

function lightModel(name: string): Record<string, unknown> {
  const model = modelOf(name);
  if (model === null) throw new Error(`no model ${name}`);
  const lap = stopwatch();
  const costs = searchIn(model, { servents: LIGHT });
  const cpuSeconds = lap();
  return {
    model: name,
    servents: LIGHT,
    cpuSeconds,
    residentMB: residentMB(),
    success: costs?.success,
    messages: costs?.messages,
  };
}

function descriptors({ hosts }: GnutellaNetwork): number {
  return hosts.reduce((sum, { servent }) => sum + servent.overlay.counters.framesIn, 0);
}

const residentMB = (): number => Math.round(process.memoryUsage.rss() / 1e6);
