// The swarm of a stored download, with what its record says: bytes, hash tree, and sources that lied.
import { ChunkMap } from '../../protocol/transfer/downloads/chunk-map.ts';
import { Swarm } from '../../protocol/transfer/downloads/swarm.ts';
import { SwarmPlanner } from '../../protocol/transfer/downloads/swarm-planner.ts';
import type { DownloadRecord } from '../store/downloads.ts';
import type { DownloadContext } from './download-context.ts';

/** Without its sources. */
export function storedSwarm<Download>(record: DownloadRecord, context: DownloadContext<Download>): Swarm {
  const { sha1, root, size, sizeTold, ranges, verified, tree, corrupt } = record;
  const { fetch, hosts, mesh, random, retryTimes, onCharge } = context;
  const map = ChunkMap.restore(size, ranges, verified);
  const swarm = new Swarm({
    ...{ sha1, root, map, mesh },
    isSizeGiven: sizeTold === null,
    planner: new SwarmPlanner({ map, random, times: retryTimes, hosts, onCharge }),
    identity: fetch.identity,
    times: fetch.times,
  });
  if (tree !== null) swarm.verification.quest.restore(tree);
  for (const key of corrupt) swarm.planner.corrupt.add(key);
  return swarm;
}
