// What passed through, over all links and for the whole run. Plain numbers of one shape; metrics read them when asked.

export class OverlayCounters {
  framesIn = 0;
  bytesIn = 0;
  pingsIn = 0;
  pongsIn = 0;
  byesIn = 0;
  routeTableUpdatesIn = 0;
  vendorMessagesIn = 0;
  pushesIn = 0;
  queriesIn = 0;
  /** Queries seen before that came with more TTL and went on once more. */
  queriesExtended = 0;
  hitsIn = 0;
  othersIn = 0;
  /** Copies queued, so one query to seven links counts seven times. */
  queriesRelayed = 0;
  /** Copies not queued, since the peer's QRP table says that neither it nor its leaves have anything. */
  queriesSpared = 0;
  hitsRelayed = 0;
  pushesRelayed = 0;
  /** Servents of hits that were not remembered: their link has named too many. */
  pushRoutesRefused = 0;
  /** Queries that we had files for, and descriptors sent for them. */
  queriesAnswered = 0;
  hitsSent = 0;
  pongsSent = 0;
  /** Of links that are gone; those of open links are in their queues. */
  framesOutPast = 0;
  bytesOutPast = 0;
  shedPast = 0;
}
