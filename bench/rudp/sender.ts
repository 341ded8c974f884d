// A process that sends bytes over a stream by UDP to its parent, which tells it where; it reports its processor time.
import { startSide } from './side.ts';

const PIECE_BYTES = 65_536;

const side = await startSide();
process.send?.({ port: side.endpoint.port });
process.once('message', async ({ port, bytes }: { port: number; bytes: number }) => {
  const socket = await side.dialer.dial({ host: '127.0.0.1', port }, 'acceptor');
  socket.allowHalfOpen = true; // the reader ends its direction at once
  const begun = process.cpuUsage();
  const piece = Buffer.alloc(PIECE_BYTES, 'r');
  let left = bytes;
  const write = (): void => {
    while (left > 0) {
      const some = Math.min(left, PIECE_BYTES);
      left -= some;
      if (!socket.write(piece.subarray(0, some))) return void socket.once('drain', write);
    }
    socket.end();
  };
  write();
  socket.resume();
  await new Promise<void>(closed => socket.once('close', () => closed()));
  const { user, system } = process.cpuUsage(begun);
  process.send?.({ cpuMs: (user + system) / 1_000 });
  process.once('message', () => void side.stop().then(() => process.disconnect()));
});
