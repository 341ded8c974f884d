// A live stream to many viewers, as IPTV over peers brings it: from one server, over a tree of viewers, and over a mesh of them.
import { atLeast, atMost, equal, told } from '../measure.ts';
import type { Model, Outcome, Run } from '../model.ts';
import { DEADLINE_MS, Mesh } from '../multicast/mesh.ts';
import type { Stream } from '../multicast/stream.ts';
import { SILENT_MS, Tree } from '../multicast/tree.ts';
import { mean, quantile } from '../statistics.ts';
import { configurationModel } from '../topology/configuration-model.ts';
import { TraceHash } from '../trace-hash.ts';

const VIEWERS_MOST = 500;
const LECTURE = { source: 'lecture: streams over peers, IPTV' };
const COOLSTREAMING = { source: 'Zhang et al., CoolStreaming/DONet, 2005' };

/** Levels of a tree of so many viewers whose nodes have `degree` children each. */
function levelsOf(viewers: number, degree: number): number {
  let levels = 0;
  for (let room = 0, level = 1; room < viewers; levels++) room += level *= degree;
  return levels;
}

function run({ servents, parameters, random, onProgress }: Run): Outcome {
  const { degree = 3, neighbours = 8, uplink = 3, capacity = 20, chunks = 60, leaving = 0.1 } = parameters;
  const trace = new TraceHash();
  const viewers = servents;
  const tree = (source: number, viewer: number, count = viewers): Tree =>
    new Tree(count, chunks, { source, viewer }, random.fork());
  const mesh = (count = viewers): Mesh =>
    new Mesh({
      graph: configurationModel(new Uint32Array(count + 1).fill(Math.min(neighbours, count)), random.fork()),
      ...{ chunks, uplink, random: random.fork() },
    });
  const played = <S extends Stream & { play(): void }>(stream: S): S => {
    stream.play();
    trace.addText(stream.network.trace.hex);
    return stream;
  };
  /** These go at once, without a word, in the middle. */
  const leaves = Array.from({ length: viewers + 1 }, () => random.chance(leaving));
  const losing = <S extends Stream & { play(): void }>(stream: S): S => {
    stream.network.after((chunks / 2) * 1000, () => {
      for (let viewer = 1; viewer <= viewers; viewer++) if (leaves[viewer]) stream.network.fail(viewer);
    });
    return played(stream);
  };
  const load = (stream: Stream): number => stream.fromSource / chunks;
  const missed = (stream: Stream): number => mean(stream.missed) / chunks;
  const delay = (stream: Stream): number => mean(stream.delays) / 1000;

  const server = played(tree(viewers, 0));
  const small = played(tree(capacity, 0));
  const overTree = played(tree(degree, degree));
  const overMesh = played(mesh());
  onProgress(0.5);
  const treeLosing = tree(degree, degree);
  const below = leaves.filter(
    (gone, viewer) => viewer > 0 && !gone && treeLosing.isBelow(viewer, above => leaves[above] === true),
  ).length;
  losing(treeLosing);
  const meshLosing = losing(mesh());
  const sizes = [10, 30, 100, 300].filter(size => size < viewers).concat(viewers);
  const of = (make: (size: number) => Stream & { play(): void }): number[] =>
    sizes.map(size => delay(played(make(size))));
  const streams = { unit: 'streams', ...LECTURE };
  return {
    measures: [
      equal('load of one server', viewers, load(server), streams),
      equal(
        'viewers that one server with little uplink reaches',
        Math.min(capacity, viewers),
        small.missed.filter(count => count === 0).length,
        {
          unit: 'viewers',
          ...LECTURE,
        },
      ),
      equal('load of the source of a tree', Math.min(degree, viewers), load(overTree), streams),
      equal('levels of the tree', levelsOf(viewers, degree), Math.max(...overTree.depths), {
        unit: 'levels',
        ...LECTURE,
      }),
      atMost('load of the source of a mesh', uplink * (1 + DEADLINE_MS / 1000 / chunks), load(overMesh), {
        unit: 'streams: its uplink, until the last chunk is too late',
        ...COOLSTREAMING,
      }),
      equal('missed over the tree', 0, missed(overTree), { unit: 'of all chunks', ...LECTURE }),
      atMost('missed over the mesh', 0.001, missed(overMesh), { unit: 'of all chunks', ...COOLSTREAMING }),
      told('delay from one server', delay(server), { unit: 's', ...LECTURE }),
      atMost('delay over the tree', 0.18 * levelsOf(viewers, degree), delay(overTree), {
        unit: 's: 180 ms a level',
        ...LECTURE,
      }),
      atLeast('delay over the mesh, of that over the tree', 1, delay(overMesh) / delay(overTree), COOLSTREAMING),
      equal(
        'viewers that miss something when a tenth leaves, tree',
        below,
        treeLosing.missed.filter(count => count > 0).length,
        {
          unit: 'viewers: those below one that left',
          ...LECTURE,
        },
      ),
      atMost('longest gap, tree', SILENT_MS / 1000 + 3, Math.max(...treeLosing.missed), {
        unit: 'chunks: 3 s until it is noticed',
        ...LECTURE,
      }),
      told('missed when a tenth leaves, tree', missed(treeLosing), { unit: 'of all chunks', ...LECTURE }),
      atMost('missed when a tenth leaves, mesh', 0.002, missed(meshLosing), {
        unit: 'of all chunks',
        ...COOLSTREAMING,
      }),
      told('late chunks over the mesh when a tenth leaves', quantile(meshLosing.delays, 0.99) / 1000, {
        unit: 's, 99th percentile',
        ...COOLSTREAMING,
      }),
    ],
    series: [
      {
        name: 'delay over the tree',
        axes: ['viewers', 'seconds'],
        x: sizes,
        y: of(size => tree(degree, degree, size)),
      },
      { name: 'delay over the mesh', axes: ['viewers', 'seconds'], x: sizes, y: of(mesh) },
    ],
    traceHash: trace.hex,
  };
}

export const multicast: Model = {
  name: 'multicast',
  system: 'Streams over a tree or a mesh of peers (IPTV)',
  teaches:
    'Viewers that pass a stream on take the load off the source: a tree is quick and breaks, a mesh is slow and lasts.',
  servents: 120,
  seconds: 120,
  bounds: { servents: [2, VIEWERS_MOST], seconds: null },
  parameters: {
    degree: { value: 3, range: [1, 100], whole: true, unit: 'children', meaning: 'of each node of the tree' },
    neighbours: { value: 8, range: [1, 100], whole: true, unit: 'neighbours', meaning: 'of a node of the mesh' },
    uplink: { value: 3, range: [0.1, 100], unit: 'streams', meaning: 'that a node of the mesh can send' },
    capacity: { value: 20, range: [0, 1000], whole: true, unit: 'streams', meaning: 'uplink of a small server' },
    chunks: { value: 60, range: [10, 10000], whole: true, unit: 'chunks', meaning: 'of one second' },
    leaving: { value: 0.1, range: [0, 1], unit: 'share', meaning: 'viewers that leave at once' },
  },
  run,
};
