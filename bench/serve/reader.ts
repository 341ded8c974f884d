// Fetches a file over raw sockets as fast as they give, in a process of its own, and reports how long it took.
import { connect } from 'node:net';

export interface Fetch {
  port: number;
  path: string;
  connections: number;
  /** Of the file, shared out evenly among the connections. */
  bytes: number;
}

/** Milliseconds from the first connect to the last byte. */
export type Fetched = { ms: number } | { error: string };

const BUFFER_BYTES = 1 << 20;

function fetchRange(port: number, path: string, start: number, end: number): Promise<void> {
  return new Promise((done, failed) => {
    let left = -1; // until the head is read
    let head = '';
    const onData = (got: number, buffer: Uint8Array): boolean => {
      if (left >= 0) left -= got;
      else {
        head += Buffer.from(buffer.buffer, buffer.byteOffset, got).toString('latin1');
        const headEnd = head.indexOf('\r\n\r\n');
        if (headEnd >= 0) {
          if (!head.startsWith('HTTP/1.1 206 ')) failed(new Error(head.slice(0, 60)));
          left = end - start - (head.length - headEnd - 4);
        }
      }
      if (left === 0) {
        socket.destroy();
        done();
      }
      return true;
    };
    const socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: Buffer.alloc(BUFFER_BYTES), callback: onData },
    });
    socket.on('error', failed);
    socket.on('close', () => failed(new Error('closed early')));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=${start}-${end - 1}\r\n\r\n`);
  });
}

async function fetchAll({ port, path, connections, bytes }: Fetch): Promise<number> {
  const share = Math.floor(bytes / connections);
  const began = performance.now();
  await Promise.all(Array.from({ length: connections }, (_, i) => fetchRange(port, path, i * share, (i + 1) * share)));
  return performance.now() - began;
}

process.on('message', (fetch: Fetch) => {
  fetchAll(fetch).then(
    ms => process.send?.({ ms }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
