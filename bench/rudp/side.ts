// One side of a stream over UDP, and nothing else of a servent: a port, connections over it, their turns.
import { silentLog } from '../../daemon/log.ts';
import { Bandwidth } from '../../daemon/net/bandwidth.ts';
import { RudpDialer } from '../../daemon/net/rudp/rudp-dialer.ts';
import { Udp } from '../../daemon/net/udp.ts';
import { SystemClock, SystemRandom } from '../../daemon/system.ts';
import { RudpTable } from '../../protocol/rudp/rudp-table.ts';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';

export interface Side {
  readonly endpoint: Endpoint;
  readonly dialer: RudpDialer;
  readonly table: RudpTable;
  stop(): Promise<void>;
}

export async function startSide(): Promise<Side> {
  const clock = new SystemClock();
  const bandwidth = new Bandwidth();
  const table = new RudpTable({ random: new SystemRandom(), extended: true });
  const udp = new Udp({
    ...{ host: '127.0.0.1', port: 0, log: silentLog, bandwidth },
    forbids: () => null,
    onDatagram: (bytes, from) => {
      table.receive(bytes, from, clock.now());
      dialer.wake();
    },
  });
  await udp.start();
  const dialer: RudpDialer = new RudpDialer({
    ...{ clock, bandwidth },
    rudp: () => table,
    send: (bytes, to) => udp.sendNow(bytes, to),
  });
  const stop = async () => {
    dialer.stop();
    bandwidth.stop();
    await udp.stop();
  };
  return { endpoint: udp.endpoint, dialer, table, stop };
}
