// One event to one web address or one command: real servers on loopback, real programs.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { FeedEvent } from '../../../api/event-feed.ts';
import { type Delivery, deliver, signatureOf } from '../../../daemon/hooks/deliver.ts';
import { type HookConfig, hookConfigOf } from '../../../settings/hook-config.ts';
import { eventOf } from '../../support/sample-events.ts';

function hookOf(given: object): HookConfig {
  const config = hookConfigOf(given);
  if (config === null) throw new Error(`no hook: ${JSON.stringify(given)}`);
  return config;
}

const AT = Date.UTC(2026, 10, 21);
const view = eventOf('download.finished', {}, 7);
const event: FeedEvent = { view, json: JSON.stringify(view), latestOf: null };

const delivery = (config: object, signal = new AbortController().signal): Delivery => ({
  config: hookOf({ name: 'h', ...config }),
  event,
  at: AT,
  signal,
});

interface Call {
  headers: IncomingMessage['headers'];
  body: string;
}

/** A web address, and what came to it. */
async function receiver(t: Test, answer: (response: ServerResponse) => void): Promise<{ url: string; calls: Call[] }> {
  const calls: Call[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      calls.push({ headers: request.headers, body });
      answer(response);
    });
  }).listen(0, '127.0.0.1');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=secret`, calls };
}

t.test('a web address gets the event, signed over time and body', async t => {
  const secretFile = join(t.testdir({ secret: 'whsec \n' }), 'secret');
  const { url, calls } = await receiver(t, response => response.writeHead(204).end());
  await deliver(delivery({ url, secretFile }));
  t.equal(calls.length, 1);
  t.equal(calls[0]?.body, event.json);
  t.match(calls[0]?.headers, {
    'content-type': 'application/json',
    'servent-event': 'download.finished',
    'servent-event-id': '7',
    'servent-signature': signatureOf('whsec', AT / 1000, event.json),
  });
  t.match(signatureOf('whsec', 1, 'body'), 't=1,v1=7a'.slice(0, 7), 'seconds and hex');
  t.not(signatureOf('whsec', 1, 'body'), signatureOf('whsec', 2, 'body'), 'another time, another signature');
});

t.test('any answer but 2xx is a failure that says so; a redirect is not followed', async t => {
  const elsewhere = await receiver(t, response => response.end());
  for (const status of [301, 307, 400, 404, 429, 500, 503]) {
    const { url } = await receiver(t, response => response.writeHead(status, { Location: elsewhere.url }).end('no'));
    await t.rejects(deliver(delivery({ url })), { name: 'DeliveryError', message: `answered ${status}` });
  }
  t.equal(elsewhere.calls.length, 0);
});

t.test('who never answers, hangs up, or is not there is given up with the reason', async t => {
  const silent = await receiver(t, () => undefined);
  await t.rejects(deliver(delivery({ url: silent.url, timeout: 0.1 })), { name: 'DeliveryError', message: /timeout/ });
  const rude = await receiver(t, response => response.socket?.destroy());
  await t.rejects(deliver(delivery({ url: rude.url })), { name: 'DeliveryError' });
  await t.rejects(deliver(delivery({ url: 'http://127.0.0.1:1/' })), {
    name: 'DeliveryError',
    message: /ECONNREFUSED|bad port/,
  });
  await t.rejects(deliver(delivery({ url: silent.url, secretFile: '/nowhere/at/all' })), {
    message: /cannot read the secret/,
  });
});

t.test('a stop cuts what is under way', async t => {
  const { url, calls } = await receiver(t, () => undefined);
  const abort = new AbortController();
  const under = deliver(delivery({ url, timeout: 60 }, abort.signal));
  under.catch(() => 'looked at below');
  while (calls.length === 0) await new Promise(setImmediate);
  abort.abort();
  await t.rejects(under, { name: 'DeliveryError' });
});

const shell = (script: string, more: object = {}) => delivery({ command: ['/bin/sh', '-c', script], ...more });

t.test('a command reads the event and gets nothing of our environment', async t => {
  const folder = t.testdir();
  process.env['SERVENT_TOKEN'] = 'not for others';
  t.teardown(() => delete process.env['SERVENT_TOKEN']);
  await deliver(shell(`cat > '${folder}/event'; env > '${folder}/env'`));
  const { readFile } = await import('node:fs/promises');
  t.equal(await readFile(join(folder, 'event'), 'utf8'), `${event.json}\n`);
  const environment = await readFile(join(folder, 'env'), 'utf8');
  t.match(environment, 'SERVENT_EVENT=download.finished');
  t.notMatch(environment, 'SERVENT_TOKEN');
  await deliver(shell('exit 0')); // one that does not read its input is fine
});

t.test(
  'a command that fails says how and what it said, one that hangs is killed, one that is not there is told',
  async t => {
    await t.rejects(deliver(shell('echo no room >&2; exit 3')), { message: 'ended with 3: no room' });
    await t.rejects(deliver(shell('exec sleep 60', { timeout: 0.1 })), { message: /killed after 0\.1 s/ });
    await t.rejects(deliver(delivery({ command: ['/nowhere/at/all'] })), { message: /ENOENT/ });
    const long = await deliver(shell('yes | head -c 100000 >&2; exit 1')).catch((error: Error) => error.message);
    t.ok(String(long).length < 1_000, 'what it says is kept to a bound');
  },
);
