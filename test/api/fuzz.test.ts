// Many requests at a live daemon, made from its own OpenAPI document: each answer is as documented, and none is a mistake.
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { type Answered, ApiContract, type Operation } from '../support/api-contract.ts';
import { type ApiRequest, ApiSender, CATEGORY, requests, type Surroundings } from '../support/api-requests.ts';
import { type RunningServent, startServent, until } from '../support/running-servent.ts';

/** SERVENT_FUZZ_REQUESTS=20000 for the long run. */
const REQUESTS = Number(process.env['SERVENT_FUZZ_REQUESTS'] ?? 1_500);
const SEED = Number(process.env['SERVENT_FUZZ_SEED'] ?? 6346);
/** Over kept connections. */
const AT_ONCE = 32;
const FAULTS_SHOWN = 10;
const SPOILT = 400;
/** Of further requests for what the first ones have not reached. */
const ROUNDS = 8;
/** Nobody fetches anything from the daemon, and it records nothing that a question could be about. */
const NEVER_DONE = ['analysis', 'cancelUpload'];
/** They make what others are about. */
const STARTS = ['startDownload', 'startSearch', 'saveSearch', 'shareFolder', 'addBan'];
/** Such requests before each operation that the first ones have not reached. */
const STARTED = 120;
/** They take whatever is sent, but for one header. */
const PROBES = ['live', 'ready'];

interface Live extends Surroundings {
  daemon: RunningServent;
}

/** One with a file, a hook, a neighbour that has another file, and a stranger to connect to. */
async function liveDaemon(t: Parameters<typeof startServent>[0]): Promise<Live> {
  const shared = (name: string) => ({ shared: { [`${name} moon.txt`]: name } });
  const ours = t.testdir({ a: shared('red'), b: shared('blue'), c: {}, more: {}, yet: {} });
  const neighbour = await startServent(t, join(ours, 'b'));
  const stranger = await startServent(t, join(ours, 'c'));
  const hooks = [{ name: 'h', topics: ['downloads'], types: [], url: 'http://127.0.0.1:1/', timeout: 1 }];
  const daemon = await startServent(t, join(ours, 'a'), {
    'gnutella.connect': [neighbour.address],
    'downloads.categories': [{ name: CATEGORY }],
    hooks,
  });
  await until('they are connected', async () => (await daemon.client.peers()).items[0] ?? null);
  const addresses = [daemon.address, neighbour.address, stranger.address, daemon.api.slice('http://'.length)];
  const urn = await until("the neighbour's file is hashed", async () => (await neighbour.client.files()).items[0]?.urn);
  const magnet = `magnet:?xt=${urn}&xs=http://${neighbour.address}/uri-res/N2R?${urn}`;
  return { daemon, addresses, folders: [join(ours, 'more'), join(ours, 'yet')], magnet };
}

const { daemon, ...surroundings } = await liveDaemon(t);
const contract = new ApiContract(await daemon.client.openapi());

t.test(`${REQUESTS} requests, and every answer is in the document`, { timeout: 600_000 }, async t => {
  const sender = new ApiSender(daemon.api, daemon.token);
  t.teardown(() => sender.close());
  const asked = fc.sample(requests(contract.operations, surroundings), { numRuns: REQUESTS, seed: SEED });
  const statuses = new Map<number, number>();
  const done = new Set<string>();
  const refused = new Set<string>();
  const faults: string[] = [];
  const ask = async (request: ApiRequest): Promise<void> => {
    const answered = await sender.send(request);
    const { status } = answered;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (request.operation !== null) (status < 400 ? done : refused).add(request.operation.id);
    const fault = status >= 500 ? `${status} ${answered.text}` : faultOf(contract, request, answered);
    if (fault === null) return;
    const { method, path, headers, body } = request;
    faults.push(
      [method, path, JSON.stringify(headers), body ?? '', '->', fault].map(part => part.slice(0, 300)).join(' '),
    );
  };
  const left = asked.values();
  const worker = async (): Promise<void> => {
    for (const request of left) await ask(request);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const never = (seen: ReadonlySet<string>): string[] =>
    contract.operations.map(({ id }) => id).filter(id => !seen.has(id));
  const isReached = ({ id }: Operation): boolean =>
    (done.has(id) || NEVER_DONE.includes(id)) && (refused.has(id) || PROBES.includes(id));
  // How many of the downloads are complete, and not removed again, depends on the speed of the machine.
  const complete = async () =>
    (await daemon.client.downloads({ filter: 'state=completed', limit: 1 })).items[0] ?? null;
  if ((await complete()) === null) await daemon.client.startDownload({ magnet: surroundings.magnet, again: true });
  sender.know('downloads', (await until('a download is complete', complete)).id);
  // What chance has passed over; a download, search or folder to ask about may have been removed by now.
  const starts = contract.operations.filter(({ id }) => STARTS.includes(id));
  for (let round = 0; round < ROUNDS; round++) {
    for (const operation of contract.operations.filter(operation => !isReached(operation))) {
      const sampleOf = (operations: readonly Operation[], numRuns: number): ApiRequest[] =>
        fc.sample(requests(operations, surroundings), { numRuns, seed: SEED + round });
      for (const request of sampleOf(starts, STARTED)) await ask(request);
      for (const request of sampleOf([operation], 100)) {
        await ask(request);
        if (isReached(operation)) break;
      }
    }
  }
  t.strictSame(faults.slice(0, FAULTS_SHOWN), [], `seed ${SEED}`);
  t.comment(JSON.stringify(Object.fromEntries([...statuses].sort(([a], [b]) => a - b))));
  for (const status of [200, 201, 204, 400, 401, 403, 404, 405, 422])
    t.ok(statuses.has(status), `some were answered ${status}`);
  t.strictSame(never(done), NEVER_DONE, 'every operation was done');
  t.strictSame(never(new Set([...refused, ...PROBES])), [], 'and refused');
  t.equal((await daemon.client.live()).status, 'ok');
});

function faultOf(contract: ApiContract, { operation, path }: ApiRequest, answered: Answered): string | null {
  if (operation !== null) return contract.fault(operation, answered, /[?&]fields=/.test(path));
  return answered.status === 204 ? null : contract.problemFault(answered); // OPTIONS says what there is
}

/** Ways to spoil the bytes of a request. */
const spoilt = (request: string): fc.Arbitrary<Buffer> => {
  const bytes = Buffer.from(request, 'latin1');
  const at = fc.nat(bytes.length - 1);
  const odd = fc.oneof(
    fc.uint8Array({ maxLength: 12 }).map(some => Buffer.from(some)),
    fc
      .constantFrom(
        '\r\n',
        '\n',
        '\0',
        ' ',
        ':',
        '\r\n\r\n',
        'Transfer-Encoding: chunked\r\n',
        'Content-Length: -1\r\n',
        'Content-Length: 9\r\n',
        'Host: a\r\n',
        'x'.repeat(70_000),
      )
      .map(some => Buffer.from(some)),
  );
  return fc
    .array(fc.record({ at, odd, gone: fc.nat(4) }), { minLength: 1, maxLength: 3 })
    .map(changes =>
      changes.reduce(
        (whole, { at: from, odd: some, gone }) =>
          Buffer.concat([whole.subarray(0, from), some, whole.subarray(from + gone)]),
        bytes,
      ),
    );
};

/** What comes back until the other side closes, or we have waited for long enough. */
async function exchangeRaw(port: number, bytes: Buffer): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', chunk => chunks.push(chunk));
  socket.on('error', () => socket.destroy()); // cut off while we still wrote
  socket.end(bytes);
  await once(socket, 'close', { signal: AbortSignal.timeout(15_000) });
  return Buffer.concat(chunks).toString('latin1');
}

t.test(`${SPOILT} requests that are hardly HTTP are refused or answered, and nobody else notices`, async t => {
  const port = Number(new URL(daemon.api).port);
  const headers = `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${daemon.token}\r\nConnection: close\r\n`;
  const body = '{"address":"127.0.0.1:1"}';
  const whole = [
    `GET /api/v1/status HTTP/1.1\r\n${headers}\r\n`,
    `POST /api/v1/peers HTTP/1.1\r\n${headers}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    `POST /api/v1/peers HTTP/1.1\r\n${headers}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n19\r\n${body}\r\n0\r\n\r\n`,
  ];
  const asked = fc.sample(fc.oneof(...whole.map(spoilt)), { numRuns: SPOILT, seed: SEED });
  const faults: string[] = [];
  let refused = 0;
  const left = asked.values();
  const worker = async (): Promise<void> => {
    for (const bytes of left) {
      const text = await exchangeRaw(port, bytes);
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0);
      if (text !== '' && status === 0) faults.push(`no HTTP in answer: ${text.slice(0, 200)}`);
      if (status < 400) continue;
      refused++;
      const [head = '', rest = ''] = text.split('\r\n\r\n', 2);
      const said = rest.slice(0, Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)); // what follows answers the rest of what was sent
      const type = /^content-type: ([^;\r\n]+)/im.exec(head)?.[1];
      const fault =
        status >= 500 ? said : contract.problemFault({ status, headers: { 'content-type': type }, text: said });
      if (fault !== null)
        faults.push(`${JSON.stringify(bytes.toString('latin1').slice(0, 300))} -> ${status} ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  t.strictSame(faults.slice(0, FAULTS_SHOWN), [], `seed ${SEED}`);
  t.ok(refused > SPOILT / 4, `${refused} were refused`);
  t.equal((await daemon.client.live()).status, 'ok');
});
