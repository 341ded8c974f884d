// Counts and drops datagrams of an unsupported protocol.
import type { Frame } from '../../wire/frame-reader.ts';
import type { DatagramEnd } from './datagram-end.ts';

export class UnsupportedProtocol {
  datagrams = 0;
  bytes = 0;

  onDatagram({ start, end }: Frame): DatagramEnd {
    this.datagrams++;
    this.bytes += end - start;
    return 'not_spoken';
  }
}
