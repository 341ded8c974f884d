// What clients are told of their place in the upload queue, and what captured polls get.
import t from 'tap';
import type { SharedFile } from '../../../../protocol/search/shared-file.ts';
import { parseRequestHead } from '../../../../protocol/transfer/http-head.ts';
import { UploadAnswerer } from '../../../../protocol/transfer/uploads/upload-answerer.ts';
import { formatSha1Urn } from '../../../../protocol/wire/urn.ts';
import { blockOf, gtkgReplies } from '../../../support/captured-http.ts';
import { testIdentity, testMesh } from '../../../support/shared-files.ts';
import { uploadQueue } from '../../../support/upload-queue.ts';

const DATE = Date.UTC(2026, 10, 29);
const FILE: SharedFile = {
  ...{ index: 1, name: 'a song.ogg', size: 100_000_000, sha1: Buffer.alloc(20, 1) },
  ...{ tigerRoot: null, modifiedAt: DATE },
};

/** One slot, which is taken. */
function scene() {
  const bySha1 = () => FILE;
  const files = { byIndex: () => FILE, bySha1, byTigerRoot: () => null };
  const queue = uploadQueue({ slots: 1, slotsPerAddress: 0, queue: 50 });
  const answerer = new UploadAnswerer({ files, queue, identity: testIdentity, mesh: testMesh() });
  const client = (address: string) => {
    const connection = answerer.connect(address, 0);
    if (connection === null) throw new Error('no room');
    const raw = (text: string, now: number) => {
      const verdict = connection.request(parseRequestHead(blockOf(text)), now, DATE);
      if (verdict.kind === 'file') return connection.opened().bytes.toString('latin1');
      return 'bytes' in verdict ? verdict.bytes.toString('latin1') : verdict.kind;
    };
    const ask = (now: number, ...headers: string[]) =>
      raw(
        `GET /uri-res/N2R?${formatSha1Urn(FILE.sha1)} HTTP/1.1\r\n${['Host: x', ...headers].join('\r\n')}\r\n\r\n`,
        now,
      );
    return { connection, raw, ask };
  };
  const holder = client('192.0.2.1');
  return { holder, client, granted: holder.ask(0, 'X-Queue: 1.1') };
}

const PARQ = 'X-Queue: 1.1';

t.test('a slot comes with an id; those who wait get one too, the first with their connection', async t => {
  const { client, granted } = scene();
  t.match(granted, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nX-Queued: ID=[0-9a-f]{32}\r\n/);
  const replies = Array.from({ length: 11 }, (_, i) => client(`192.0.2.${i + 2}`).ask(i, PARQ));
  t.match(replies[0], /^HTTP\/1\.1 503 Queued \(slot 1, ETA: unknown\)\r\n/);
  t.match(replies[0], /\r\nX-Queued: ID=[0-9a-f]{32}; position=1; lifetime=90; length=1\r\nRetry-After: 30\r\n/);
  t.match(replies[9], /; position=10; [\s\S]*\r\nConnection: Keep-Alive\r\n/);
  t.match(replies[10], /; position=11; [\s\S]*\r\nConnection: close\r\n/, 'passive');
});

t.test('ten polls before their time get 429 and end the place', async t => {
  const { client } = scene();
  const { ask } = client('192.0.2.9');
  const statuses = Array.from({ length: 11 }, (_, i) => ask(i, PARQ).slice(9, 12));
  t.strictSame(statuses, [...Array<string>(10).fill('503'), '429']);
});

t.test(
  "LimeWire's polls: X-Queue with its times; a poll that is early keeps its place, as with gtk-gnutella",
  async t => {
    const { client } = scene();
    const { ask } = client('192.0.2.2');
    const place =
      /^HTTP\/1\.1 503 [\s\S]*\r\nX-Queue: position=1, pollMin=45, pollMax=120\r\n[\s\S]*Connection: Keep-Alive\r\n/;
    t.match(ask(0, 'X-Queue: 0.1', 'X-Features: queue/0.1'), place);
    t.match(ask(5_000, 'X-Queue: 0.1'), place);
    const without = client('192.0.2.3').ask(5_000);
    t.match(without, /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 60\r\n[\s\S]*Connection: close\r\n/);
    t.notMatch(without, /X-Queue/);
  },
);

t.test('the polls captured at gtk-gnutella get a place, twice, on the same connection', async t => {
  const { client } = scene();
  const { raw } = client('5.5.2.42');
  for (const { request, head } of gtkgReplies('http-queued-active')) {
    t.equal(head.status, 503);
    t.match(raw(request, 0), /^HTTP\/1\.1 503 [\s\S]*\r\nX-Queue: position=1, pollMin=\d+, pollMax=\d+\r\n/);
  }
});
