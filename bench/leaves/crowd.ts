// Many leaves in one process, which only hold their connections: what they take must not count as the servent's.
import { DeflateWriter, Floods } from '../../daemon/net/deflate.ts';
import { shakeHands, tableFrames } from '../process/shake-hands.ts';

export interface Crowd {
  port: number;
  count: number;
  deflate: boolean;
}

/** Handshakes at a time. */
const LANES = 16;

async function open({ port, count, deflate }: Crowd): Promise<void> {
  const table = tableFrames();
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const n = next++;
      const from = `127.1.${Math.floor(n / 250)}.${1 + (n % 250)}`;
      const { socket } = await shakeHands({ port, from, role: 'leaf', deflate });
      socket.on('close', () => process.send?.({ lost: n }));
      socket.resume(); // nothing is answered: leaves are asked for signs of life after minutes
      socket.write(deflate ? new DeflateWriter('narrow', new Floods()).write(table) : table);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

process.once('message', (crowd: Crowd) => {
  open(crowd).then(
    () => process.send?.({ open: crowd.count }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
