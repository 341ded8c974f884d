// What has happened on all connections over reliable UDP since the start.
export class RudpCounters {
  opened = 0;
  connected = 0;
  /** Of those connected, with the stream extension. */
  extended = 0;
  /** No answer, or the peer fell silent or broke off. */
  failed = 0;
  packetsIn = 0;
  packetsOut = 0;
  bytesIn = 0;
  bytesOut = 0;
}
