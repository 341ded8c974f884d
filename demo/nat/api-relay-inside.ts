// Loaded into a servent before its own modules: lends its API to a Unix socket, which can be reached from other network namespaces.
import { connect, createServer } from 'node:net';
import { isMainThread } from 'node:worker_threads';

const { API_RELAY_SOCKET: path, API_RELAY_PORT: port } = process.env;

if (isMainThread && path !== undefined && port !== undefined) {
  const server = createServer(outer => {
    const inner = connect(Number(port), '127.0.0.1');
    outer.pipe(inner).pipe(outer);
    outer.on('error', () => inner.destroy()).on('close', () => inner.destroy());
    inner.on('error', () => outer.destroy()).on('close', () => outer.destroy());
  });
  server.listen(path).unref();
}
