// Passes datagrams between two ports of loopback as a link with a rate, a delay and losses would, in real time.
import { createSocket, type Socket } from 'node:dgram';
import { SeededRandom } from '../../sim/seeded-random.ts';

export interface LinkConditions {
  /** One way. */
  readonly delayMs: number;
  /** Bytes a millisecond. */
  readonly rate: number;
  readonly queueBytes: number;
  readonly loss: number;
}

/** Of UDP and IPv4. */
const HEADERS_BYTES = 28;

export interface Relay {
  /** What each side takes for the other one. */
  readonly ports: readonly [number, number];
  /** Where the sides are. */
  between(ports: readonly [number, number]): void;
  stop(): void;
}

export async function startRelay({ delayMs, rate, queueBytes, loss }: LinkConditions): Promise<Relay> {
  const random = new SeededRandom(3);
  let targets: readonly [number, number] = [0, 0];
  const sockets: Socket[] = [];
  for (let side = 0; side < 2; side++) {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    await new Promise<void>(bound => socket.bind(0, '127.0.0.1', bound));
    sockets.push(socket);
  }
  // one timer for all that is on the way: many would cost more than the link
  const queues: { at: number; bytes: Buffer }[][] = [[], []];
  const freeAt = [0, 0];
  sockets.forEach((socket, side) => {
    socket.on('message', bytes => {
      const now = performance.now();
      const from = Math.max(freeAt[side] ?? 0, now);
      if ((from - now) * rate > queueBytes || random.below(1_000_000) < loss * 1_000_000) return;
      const leavesAt = from + (bytes.length + HEADERS_BYTES) / rate;
      freeAt[side] = leavesAt;
      queues[side]?.push({ at: leavesAt + delayMs, bytes });
    });
  });
  const timer = setInterval(() => {
    const now = performance.now();
    queues.forEach((queue, side) => {
      let due = 0;
      for (const { at, bytes } of queue) {
        if (at > now) break;
        sockets[1 - side]?.send(bytes, targets[1 - side] ?? 0, '127.0.0.1');
        due++;
      }
      queue.splice(0, due);
    });
  }, 1);
  return {
    ports: [sockets[0]?.address().port ?? 0, sockets[1]?.address().port ?? 0],
    between: ports => {
      targets = ports;
    },
    stop: () => {
      clearInterval(timer);
      for (const socket of sockets) socket.close();
    },
  };
}
