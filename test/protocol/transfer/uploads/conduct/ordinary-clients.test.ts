// Captured requests of real servents, at the pace that those keep, are never taken for abuse; a client out of hand is.
import fc from 'fast-check';
import t from 'tap';
import type { SharedFile } from '../../../../../protocol/search/shared-file.ts';
import { parseRequestHead, type RequestHead } from '../../../../../protocol/transfer/http-head.ts';
import { Conduct } from '../../../../../protocol/transfer/uploads/conduct/conduct.ts';
import { UploadAnswerer } from '../../../../../protocol/transfer/uploads/upload-answerer.ts';
import type { UploadConnection } from '../../../../../protocol/transfer/uploads/upload-connection.ts';
import { UploadQueue } from '../../../../../protocol/transfer/uploads/upload-queue.ts';
import { parseUrn } from '../../../../../protocol/wire/urn.ts';
import { blockOf, gtkgReplies, limewireDownloadRequest, split } from '../../../../support/captured-http.ts';
import { testIdentity, testMesh } from '../../../../support/shared-files.ts';
import { SeededRandom } from '../../../../support/virtual-network.ts';

const ASKER = '192.0.2.1';
const MIB = 2 ** 20;
const SIZE = 4 * MIB;

function fileOf(index: number, urn: string | null): SharedFile {
  const sha1 = (urn === null ? null : parseUrn(urn).sha1) ?? Buffer.alloc(20, index);
  return { index, name: `file ${index}`, size: SIZE, sha1, tigerRoot: null, modifiedAt: 0 };
}

/** One slot, which somebody else has. */
function scene(files: readonly SharedFile[]) {
  const conduct = new Conduct({ bans: true, spares: () => false });
  const queue = new UploadQueue({ slots: 1, slotsPerAddress: 2, queue: 500 }, { random: new SeededRandom(1), conduct });
  const all = new UploadAnswerer({
    files: {
      byIndex: index => files.find(file => file.index === index) ?? null,
      bySha1: sha1 => files.find(file => file.sha1.equals(sha1)) ?? null,
      byTigerRoot: () => null,
    },
    ...{ queue, conduct, identity: testIdentity, mesh: testMesh() },
  });
  const file = { key: 'another', name: 'another', size: 9 * MIB };
  queue.ask({ connection: 1e6, address: '192.0.2.200', level: 'none', file, bytes: 9 * MIB, toEnd: false }, 0);
  return { conduct, queue, all };
}

function connect(all: UploadAnswerer, now: number): UploadConnection {
  const connection = all.connect(ASKER, now);
  if (connection === null) throw new Error('turned away');
  return connection;
}

/** Status and headers of the answer; a file counts as sent whole. */
function ask(connection: UploadConnection, request: RequestHead, now: number) {
  const verdict = connection.request(request, now, now);
  if (verdict.kind === 'tree') return split(connection.treeFound(null).bytes).head;
  if (verdict.kind !== 'file') return split(verdict.bytes).head;
  const { head } = split(connection.opened().bytes);
  connection.sent('whole', now);
  return head;
}

const headOf = (text: string): RequestHead => parseRequestHead(blockOf(text));

t.test('LimeWire polls for hours on its connection, then fetches the file', t => {
  const { request, urn } = limewireDownloadRequest();
  const queued = headOf(request.replace('\r\n\r\n', '\r\nX-Queue: 0.1\r\n\r\n'));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 45_000, max: 119_000 }), { minLength: 5, maxLength: 60 }), waits => {
      const { conduct, queue, all } = scene([fileOf(1, urn)]);
      let now = 0;
      const connection = connect(all, now);
      for (const wait of waits) {
        const { status, headers } = ask(connection, queued, now);
        if (status !== 503 || headers.get('X-Queue') === null) return false;
        now += wait;
      }
      queue.leave(1e6, now);
      const { status } = ask(connection, queued, now);
      return (status === 200 || status === 206) && conduct.bans.size === 0 && conduct.counts.of('requests') === 0;
    }),
    { numRuns: 30 },
  );
  t.end();
});

t.test('gtk-gnutella waits for forty files with ids, without connections, twelve seconds between two of them', t => {
  const [captured] = gtkgReplies('http-queued-active');
  if (captured === undefined) throw new Error('no fixture');
  const files = Array.from({ length: 40 }, (_, i) => fileOf(i + 1, null));
  const { conduct, all } = scene(files);
  const waiting = files.map(file => ({ file, id: null as string | null, at: 0 }));
  const parq = captured.request.replace('X-Queue: 0.1', 'X-Queue: 1.1').replace('\r\n\r\n', '\r\nConnection: close');
  let now = 0;
  for (let polls = 0; polls < 1500; polls++) {
    const next = waiting.reduce((first, one) => (one.at < first.at ? one : first));
    now = Math.max(now + 12_000, next.at);
    const connection = connect(all, now);
    const target = `/get/${next.file.index}/file%20${next.file.index}`;
    const text = parq.replace(/^GET \S+/, `GET ${target}`);
    const id = next.id === null ? '' : `\r\nX-Queued: ID=${next.id}`;
    const { status, headers } = ask(connection, headOf(`${text}${id}\r\n\r\n`), now);
    if (status !== 503) throw new Error(`${status} after ${polls} polls, at ${now} ms`);
    next.id = /ID=([0-9a-f]{32})/i.exec(headers.get('X-Queued') ?? '')?.[1] ?? next.id;
    next.at = now + Number(headers.get('Retry-After')) * 1000;
    connection.close(now);
  }
  t.equal(conduct.bans.size, 0);
  t.ok(waiting.every(({ id }) => id !== null));
  t.end();
});

t.test('a client whose ids are all lost, as after a restart, keeps its pace and is not banned', t => {
  const files = Array.from({ length: 60 }, (_, i) => fileOf(i + 1, null));
  const { conduct, all } = scene(files);
  const id = 'ab'.repeat(16);
  for (const [i, { index }] of files.entries()) {
    const now = i * 12_000;
    const connection = connect(all, now);
    const head = `GET /get/${index}/file%20${index} HTTP/1.1\r\nHost: x\r\nX-Queue: 1.1\r\nX-Queued: ID=${id}\r\n\r\n`;
    t.equal(ask(connection, headOf(head), now).status, 503);
    connection.close(now);
  }
  t.equal(conduct.bans.size, 0);
  t.ok(conduct.offences.of('unknown_ids') > 50);
  t.end();
});

t.test('swarming: a thousand ranges on many connections', t => {
  const files = [fileOf(1, null)];
  const { conduct, queue, all } = scene(files);
  queue.leave(1e6, 0);
  let now = 0;
  for (let i = 0; i < 100; i++) {
    const connection = connect(all, now);
    for (let n = 0; n < 10; n++, now += 50) {
      const at = (i * 10 + n) * 4096;
      const range = `bytes=${at}-${at + 4095}`;
      t.equal(
        ask(connection, headOf(`GET /get/1/file%201 HTTP/1.1\r\nHost: x\r\nRange: ${range}\r\n\r\n`), now).status,
        206,
      );
    }
    connection.close(now);
  }
  t.equal(conduct.bans.size, 0);
  t.end();
});

t.test('who polls without waiting is told once to go away, then turned away', t => {
  const { request, urn } = limewireDownloadRequest();
  const { conduct, all } = scene([fileOf(1, urn)]);
  const queued = headOf(request.replace('\r\n\r\n', '\r\nX-Queue: 0.1\r\n\r\n'));
  const connection = connect(all, 0);
  let now = 0;
  let status = 0;
  for (; status !== 429 && now < 60_000; now += 1000) status = ask(connection, queued, now).status;
  t.ok(now <= 12_000, `${now} ms`);
  t.match(conduct.bans.of(ASKER, now), { reason: 'early_polls' });
  connection.close(now);
  const { status: last, headers } = ask(connect(all, now), queued, now);
  t.equal(last, 429);
  t.match(headers.get('Retry-After'), /^2\d\d$/);
  t.match(headers.get('Connection'), 'close');
  t.equal(all.connect(ASKER, now), null);
  t.ok(all.connect('192.0.2.2', now));
  t.match(all.outcomes.toRecord(), { banned: 1, early: 1 });
  t.end();
});
