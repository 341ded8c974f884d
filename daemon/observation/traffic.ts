// All that went through the overlay, links that are gone and links that are open taken together.
import type { Overlay } from '../../protocol/overlay/overlay.ts';

export interface Traffic {
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** Left out for peers that read too slowly. */
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
