import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import t from 'tap';
import { Ticker } from '../../daemon/ticker.ts';

const clock = { now: () => performance.now(), wallTime: () => Date.now() };

t.test('after a stall, what has arrived is read before anything counts as late', async t => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const client = connect(address.port, '127.0.0.1');
  const [socket] = await once(server, 'connection');
  const order: string[] = [];
  const ticked = new Promise<void>(resolve => {
    const ticker = new Ticker(clock, now => {
      order.push('tick');
      ticker.stop();
      resolve();
      return now;
    });
    t.teardown(() => ticker.stop());
  });
  socket.on('data', () => order.push('data'));
  client.write('answer');
  for (const until = clock.now() + 50; clock.now() < until; ); // the tick is due, the answer there
  await ticked;
  t.strictSame(order, ['data', 'tick']);
  client.destroy();
  socket.destroy();
  server.close();
});

t.test('one that is stopped ticks no more, even when it was due', async t => {
  let ticks = 0;
  const ticker = new Ticker(clock, now => {
    ticks++;
    return now;
  });
  for (const until = clock.now() + 20; clock.now() < until; );
  await new Promise<void>(resolve => setImmediate(resolve));
  ticker.stop();
  const before = ticks;
  await new Promise<void>(resolve => setImmediate(() => setImmediate(resolve)));
  t.equal(ticks, before);
});
