// Connects to a source of a download: by whichever way leads to it, or, where there is but the network below, directly.

import type { Source } from '../../protocol/transfer/downloads/source.ts';
import type { ReachWay } from '../../protocol/transfer/reaching/reach-way.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { StreamSocket } from '../net/stream-socket.ts';

/** A connection to a source, and the way that led to it. */
export interface ReachedSource {
  readonly socket: StreamSocket;
  readonly way: ReachWay;
}

export type SourceDial = (endpoint: Endpoint, signal: AbortSignal) => Promise<StreamSocket>;

export interface SourceRoads {
  /** Resolves with a connected socket; rejects with an error for the user. */
  dial: SourceDial;
  /** Directly, by push, and by what else there is; `dial` makes the direct connection. Absent: sources are dialled. */
  reach?: (source: Source, dial: SourceDial, signal: AbortSignal) => Promise<ReachedSource>;
}

export async function reachSource(source: Source, roads: SourceRoads, signal: AbortSignal): Promise<ReachedSource> {
  const { dial, reach } = roads;
  if (reach !== undefined) return reach(source, dial, signal);
  return { socket: await dial(source.endpoint, signal), way: 'direct' };
}
