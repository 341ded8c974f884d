// Sums the traffic of open and closed links.
import type { Overlay } from '../../protocol/overlay/overlay.ts';

export interface Traffic {
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Descriptors dropped because a peer read too slowly. */
  shed: number;
}

export function trafficOf({ counters, links }: Pick<Overlay, 'counters' | 'links'>): Traffic {
  const traffic = {
    messagesIn: counters.framesIn,
    messagesOut: counters.framesOutPast,
    bytesIn: counters.bytesIn,
    bytesOut: counters.bytesOutPast,
    shed: counters.shedPast,
  };
  for (const { queue } of links.values()) {
    traffic.messagesOut += queue.framesSent;
    traffic.bytesOut += queue.bytesSent;
    traffic.shed += queue.droppedTotal;
  }
  return traffic;
}
