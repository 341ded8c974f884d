import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { DialError, Dialer } from '../../../daemon/net/dialer.ts';
import { WayOut } from '../../../daemon/net/way-out.ts';
import { openSockets } from '../../support/loopback.ts';

const anything = () => null;

async function listen(t: Test): Promise<{ server: Server; port: number }> {
  const server = createServer(socket => {
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return { server, port: (server.address() as AddressInfo).port };
}

const at = (port: number) => ({ host: '127.0.0.1', port });

t.test('a dial gives a connected socket', async t => {
  const { port } = await listen(t);
  const way = new WayOut();
  way.open('127.0.0.2');
  const dialer = new Dialer({ forbids: anything, way });
  const socket = await dialer.dial(at(port));
  t.teardown(() => socket.destroy());
  t.equal(socket.readyState, 'open');
  t.equal(socket.localAddress, '127.0.0.2');
  t.ok(socket.listenerCount('error') > 0, 'whose errors are handled');
  t.equal(dialer.underWay, 0);
});

t.test('policy is asked before anything is sent', async t => {
  const { server, port } = await listen(t);
  server.on('connection', () => t.fail('it connected'));
  const dialer = new Dialer({ forbids: endpoint => (endpoint.port === port ? 'our own address' : null) });
  await t.rejects(dialer.dial(at(port)), { code: 'DIAL_FORBIDDEN', message: `127.0.0.1:${port}: our own address` });
});

t.test('nobody there, nobody answering, given up: each is told apart', async t => {
  const { server, port } = await listen(t);
  const dialer = new Dialer({ forbids: anything });
  await new Promise(resolve => server.close(resolve));
  await t.rejects(dialer.dial(at(port)), {
    name: 'DialError',
    code: 'DIAL_FAILED',
    message: `127.0.0.1:${port}: connection refused (ECONNREFUSED)`,
  });

  const gone = AbortSignal.abort();
  await t.rejects(dialer.dial(at(port), gone), { code: 'DIAL_ABORTED' });
  t.equal(dialer.underWay, 0);
});

t.test('a host that never answers is given up in time', async t => {
  // A stopped process with a full accept queue: the kernel drops what else comes, as a silent host would.
  const script = `const s = require('net').createServer();
    s.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port));`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [text] = await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  const dialer = new Dialer({ forbids: anything, connectMs: 100 });
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => dialer.dial(at(Number(text)))));
  for (const result of results) if (result.status === 'fulfilled') result.value.destroy();
  const failures = results.filter(result => result.status === 'rejected');
  t.ok(failures.length > 0);
  for (const failure of failures) t.match(failure.reason, { code: 'DIAL_TIMEOUT' });
  t.equal(dialer.underWay, 0);
});

t.test('no more than so many at once, no more than so many waiting', async t => {
  const { port } = await listen(t);
  let peak = 0;
  const dialer = new Dialer({ forbids: anything, parallelMax: 2, waitingMax: 3 });
  const sockets = openSockets();
  const attempts = Array.from({ length: 6 }, () =>
    dialer.dial(at(port)).then(
      socket => {
        peak = Math.max(peak, dialer.underWay);
        socket.destroy();
        return 'connected';
      },
      error => (error instanceof DialError ? error.code : 'odd'),
    ),
  );
  t.equal(dialer.underWay, 2);
  t.strictSame(await Promise.all(attempts), [...Array(5).fill('connected'), 'DIAL_BUSY']);
  t.ok(peak <= 2);
  t.equal(dialer.underWay, 0);
  t.ok(openSockets() <= sockets + 6);
});

t.test('one who waits can give up without taking a turn', async t => {
  const { port } = await listen(t);
  const dialer = new Dialer({ forbids: anything, parallelMax: 1 });
  const controller = new AbortController();
  const first = dialer.dial(at(port));
  const second = dialer.dial(at(port), controller.signal);
  const third = dialer.dial(at(port));
  controller.abort();
  await t.rejects(second, { code: 'DIAL_ABORTED' });
  for (const socket of await Promise.all([first, third])) socket.destroy();
  t.equal(dialer.underWay, 0);
});
