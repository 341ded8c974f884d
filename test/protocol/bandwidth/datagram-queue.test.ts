import t from 'tap';
import { DatagramQueue } from '../../../protocol/bandwidth/datagram-queue.ts';
import { Type } from '../../../protocol/constants.ts';

const to = { host: '127.0.0.1', port: 1 };
function datagram(type: number, at: number, bytes = 23) {
  const data = Buffer.alloc(bytes);
  data[16] = type;
  return { bytes: data, to, at };
}
const types = (queue: DatagramQueue, now: number): number[] => {
  const out: number[] = [];
  for (let next = queue.shift(now); next !== null; next = queue.shift(now)) out.push(next.bytes[16] ?? -1);
  return out;
};

t.test('hits and pushes go before pings', async t => {
  const queue = new DatagramQueue(() => t.fail('nothing is dropped'));
  for (const type of [Type.Ping, Type.QueryHit, 0x44, Type.Push, Type.Pong]) queue.push(datagram(type, 0));
  t.strictSame(types(queue, 10), [Type.Push, Type.QueryHit, Type.Pong, Type.Ping, 0x44]);
  t.equal(queue.bytes, 0);
});

t.test('the queue is bounded: pings are dropped first, the oldest first', async t => {
  let dropped = 0;
  const queue = new DatagramQueue(() => dropped++);
  for (let i = 0; i < 100; i++) queue.push(datagram(Type.Ping, i, 1000));
  for (let i = 0; i < 10; i++) queue.push(datagram(Type.QueryHit, i, 1000));
  t.ok(queue.bytes <= 65_536);
  t.equal(dropped, 45);
  t.equal(types(queue, 100).filter(type => type === Type.QueryHit).length, 10);
});

t.test('what has waited too long is not sent', async t => {
  let dropped = 0;
  const queue = new DatagramQueue(() => dropped++);
  queue.push(datagram(Type.QueryHit, 0));
  queue.push(datagram(Type.Ping, 2000));
  t.strictSame(types(queue, 4000), [Type.Ping]);
  t.equal(dropped, 1);
});
