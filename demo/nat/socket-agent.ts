// Opens sockets in a network namespace for somebody outside it, who asks by the channel between parent and child process.
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Endpoint } from '../../protocol/wire/endpoint.ts';
import type { Answer, Arrival, Order } from './socket-orders.ts';

const CONNECT_WAIT_MS = 700;
const ARRIVALS_MAX = 100;

const listening = new Set<number>();
interface Bound {
  readonly socket: Socket;
  readonly arrivals: Arrival[];
}
const sockets = new Map<number, Promise<Bound>>();

function udp(port: number): Promise<Bound> {
  const bound = sockets.get(port) ?? bind(port);
  sockets.set(port, bound);
  return bound;
}

async function bind(port: number): Promise<Bound> {
  const socket = createSocket('udp4');
  const arrivals: Arrival[] = [];
  socket.on('message', (bytes, { address, port }) => {
    if (arrivals.length < ARRIVALS_MAX) arrivals.push({ text: bytes.toString(), from: { host: address, port } });
  });
  socket.bind(port);
  await once(socket, 'listening');
  return { socket, arrivals };
}

async function carryOut(order: Order): Promise<Answer['value']> {
  switch (order.kind) {
    case 'bind':
      await udp(order.port);
      return null;
    case 'send': {
      const { socket } = await udp(order.port);
      await new Promise<void>((resolve, reject) =>
        socket.send(order.text, order.to.port, order.to.host, error => (error === null ? resolve() : reject(error))),
      );
      return null;
    }
    case 'arrivals':
      return (await udp(order.port)).arrivals;
    case 'listen':
      if (listening.has(order.port)) return null;
      listening.add(order.port);
      await once(createServer(socket => socket.end()).listen(order.port), 'listening');
      return null;
    case 'connect':
      return connects(order.to);
  }
}

async function connects(to: Endpoint): Promise<boolean> {
  const socket = connect(to);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_WAIT_MS) });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false; // refused, or not in time
    throw error;
  } finally {
    socket.destroy();
  }
}

process.on('message', (message: { id: number; order: Order }) => {
  carryOut(message.order).then(
    value => process.send?.({ id: message.id, value, error: null } satisfies Answer),
    error => process.send?.({ id: message.id, value: null, error: String(error) } satisfies Answer),
  );
});
process.once('disconnect', () => process.exit());
