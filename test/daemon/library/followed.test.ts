// A whole servent follows its disk: list of files, hits of neighbours, tables and HTTP.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { SocketReader } from '../../../daemon/net/socket-reader.ts';
import { Type } from '../../../protocol/constants.ts';
import { TableReceiver } from '../../../protocol/qrp/patch.ts';
import { Frame, FrameReader, ReadResult } from '../../../protocol/wire/frame-reader.ts';
import { parseQueryHit } from '../../../protocol/wire/query-hit.ts';
import { parseRouteTableUpdate } from '../../../protocol/wire/route-table-update.ts';
import { formatBase32 } from '../../../protocol/wire/urn.ts';
import { query, random } from '../../support/descriptors.ts';
import { HttpClient } from '../../support/http-client.ts';
import { sha1 } from '../../support/library.ts';
import { dial } from '../../support/loopback.ts';
import { finds } from '../../support/route-tables.ts';
import { type RunningServent, startServent, until } from '../../support/running-servent.ts';

const urnOf = (text: string): string => `urn:sha1:${formatBase32(sha1(text))}`;

/** Name and hash of each file on the disk. */
function onDisk(share: string): string[] {
  return readdirSync(share, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => `${name} ${urnOf(readFileSync(join(parentPath, name), 'utf8'))}`)
    .sort();
}

async function listed({ client }: RunningServent): Promise<string[]> {
  const files: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.files({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) });
    files.push(...page.items.map(({ name, urn }) => `${name} ${urn}`));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return files.sort();
}

/** The answers to requests for these contents, by status. */
async function statuses(t: Test, port: number, urns: readonly string[]): Promise<Record<number, number>> {
  const http = await HttpClient.open(t, port);
  const counts: Record<number, number> = {};
  for (const urn of urns) {
    const { status } = await http.ask(`HEAD /uri-res/N2R?${urn} HTTP/1.1`);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  http.socket.destroy();
  return counts;
}

/** An ultrapeer on the wire that gets the table of the servent and sends it queries. */
class Neighbour {
  readonly #socket: Socket;
  readonly #table = new TableReceiver();
  readonly #hits = new Map<string, string[]>();
  readonly #reader = new FrameReader(2 ** 20);
  readonly #frame = new Frame();

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(t: Test, port: number): Promise<Neighbour> {
    const socket = await dial(t, port);
    const reader = new SocketReader(socket);
    const yes = ['X-Ultrapeer: True', 'X-Query-Routing: 0.1', 'X-Ultrapeer-Query-Routing: 0.1', 'GGEP: 0.5'];
    socket.write(['GNUTELLA CONNECT/0.6', 'User-Agent: Test/1', ...yes, '', ''].join('\r\n'));
    const head = await reader.nextHead();
    t.match(head?.firstLine, '200');
    socket.write('GNUTELLA/0.6 200 OK\r\n\r\n');
    const neighbour = new Neighbour(socket);
    void neighbour.#read(reader);
    return neighbour;
  }

  async #read(reader: SocketReader): Promise<void> {
    for (let bytes = await reader.next(); bytes !== null; bytes = await reader.next()) {
      this.#reader.push(bytes);
      while (this.#reader.next(this.#frame) === ReadResult.Frame) this.#take(this.#frame);
    }
  }

  #take(frame: Frame): void {
    if (frame.type === Type.Qrp) this.#table.receive(parseRouteTableUpdate(frame.payload()));
    if (frame.type !== Type.QueryHit) return;
    const names = parseQueryHit(frame.payload()).hits.map(({ name }) => name);
    this.#hits.get(frame.guid().toString('hex'))?.push(...names);
  }

  /** Whether a query with this text would be sent to the servent. */
  sees(text: string): boolean {
    return this.#table.whole && finds(this.#table.table, text);
  }

  /** Names in the hits of a query, which are waited for. */
  async find(text: string): Promise<string[]> {
    const guid = random.guid();
    const names: string[] = [];
    this.#hits.set(guid.toString('hex'), names);
    this.#socket.write(query(1, 0, text, guid));
    return await until(`hits for ${text}`, async () => (names.length > 0 ? names : null));
  }
}

t.test('list, hits, tables and HTTP follow a thousand files that come, change, move and go', async t => {
  const root = t.testdir({ a: {}, share: { old: {} } });
  const share = join(root, 'share');
  const a = await startServent(t, join(root, 'a'), { 'library.folders': [share] });
  const { port } = a.gnutella;
  const neighbour = await Neighbour.open(t, port);
  const agree = async (): Promise<void> => {
    const disk = onDisk(share);
    await until(`the ${disk.length} files of the disk are listed`, async () =>
      (await a.client.status()).library.files === disk.length && String(await listed(a)) === String(disk) ? true : null,
    );
  };
  const each = (from: number, to: number, act: (n: number) => void): void => {
    for (let n = from; n < to; n++) act(n);
  };
  for (let folder = 0; folder < 10; folder++) mkdirSync(join(share, `f${folder}`));
  const path = (n: number): string => join(share, `f${n % 10}`, `number ${n}.txt`);
  each(0, 1000, n => writeFileSync(path(n), `text ${n}`));
  await agree();
  await until('the table has them', async () => (neighbour.sees('number 777') ? true : null));
  t.strictSame(await neighbour.find('number 777'), ['number 777.txt']);

  each(0, 200, n => writeFileSync(path(n), `changed text ${n}`));
  each(200, 400, n => renameSync(path(n), join(share, `f${n % 10}`, `zebra ${n}.txt`)));
  each(400, 600, n => renameSync(path(n), join(share, 'old', `quagga ${n}.txt`)));
  each(600, 800, n => rmSync(path(n)));
  renameSync(join(share, 'f9'), join(share, 'f9 moved'));
  await agree();
  await until('the table has what is new, and not what has gone', async () =>
    neighbour.sees('zebra 299') && neighbour.sees('quagga 555') && !neighbour.sees('701') ? true : null,
  );
  t.strictSame(await neighbour.find('zebra 299'), ['zebra 299.txt']);
  t.strictSame(await neighbour.find('quagga 555'), ['quagga 555.txt']);
  t.strictSame(await neighbour.find('number 999'), ['number 999.txt'], 'in the folder that was moved');
  const urns = (from: number, to: number, text: string): string[] =>
    Array.from({ length: to - from }, (_, i) => urnOf(`${text} ${from + i}`));
  t.strictSame(await statuses(t, port, urns(0, 200, 'changed text')), { 200: 200 });
  t.strictSame(await statuses(t, port, urns(200, 600, 'text')), { 200: 400 }, 'renamed and moved');
  // A few: the servent ends connections with many wrong requests.
  const gone = [...urns(0, 200, 'text'), ...urns(600, 800, 'text')].filter((_, i) => i % 80 === 0);
  t.strictSame(await statuses(t, port, gone), { 404: gone.length });
  t.strictSame(await statuses(t, port, urns(800, 1000, 'text')), { 200: 200 });
});
