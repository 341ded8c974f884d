// An upload connection over a relay is for one file: its content, ranges and hash tree are had there, and nothing else is.
import t from 'tap';
import type { SharedFile } from '../../../../protocol/search/shared-file.ts';
import { parseRequestHead } from '../../../../protocol/transfer/http-head.ts';
import { RangeSet } from '../../../../protocol/transfer/range-set.ts';
import { UploadAnswerer } from '../../../../protocol/transfer/uploads/upload-answerer.ts';
import { UploadQueue } from '../../../../protocol/transfer/uploads/upload-queue.ts';
import { formatSha1Urn } from '../../../../protocol/wire/urn.ts';
import { blockOf, split } from '../../../support/captured-http.ts';
import { testIdentity, testMesh } from '../../../support/shared-files.ts';
import { SeededRandom } from '../../../support/virtual-network.ts';

const file = (index: number): SharedFile => ({
  ...{ index, name: `song ${index}.ogg`, size: 100_000, modifiedAt: 0 },
  ...{ sha1: Buffer.alloc(20, index), tigerRoot: Buffer.alloc(24, index) },
});
const FILES = [file(1), file(2)];
const PART = { ...file(3), verified: RangeSet.of([{ start: 0, end: 5_000 }]), growing: true };
const urn = (index: number) => formatSha1Urn(Buffer.alloc(20, index));

function made(only: number | null) {
  const answerer = new UploadAnswerer({
    files: {
      byIndex: index => FILES.find(each => each.index === index) ?? null,
      bySha1: sha1 => FILES.find(each => each.sha1.equals(sha1)) ?? null,
      byTigerRoot: root => FILES.find(each => each.tigerRoot?.equals(root)) ?? null,
    },
    partials: { partialOf: sha1 => (sha1.equals(PART.sha1) ? PART : null) },
    queue: new UploadQueue({ slots: 4, slotsPerAddress: 0, queue: 2 }, { random: new SeededRandom(1) }),
    ...{ identity: testIdentity, mesh: testMesh(), browse: () => FILES, passPush: () => 202 },
  });
  /** Each request on a connection of its own. What comes, the status, and whether another request may follow. */
  const ask = (target: string, ...headers: string[]) => {
    const connection = answerer.connect('192.0.2.1', 0, true, only === null ? null : Buffer.alloc(20, only));
    if (connection === null) throw new Error('no room');
    const lines = [`GET ${target} HTTP/1.1`, 'Host: x', ...headers];
    const verdict = connection.request(parseRequestHead(blockOf(`${lines.join('\r\n')}\r\n\r\n`)), 0, 0);
    connection.close(0);
    if (verdict.kind !== 'reply') return verdict.kind;
    return `${split(verdict.bytes).head.status} ${verdict.keepAlive ? 'goes on' : 'closes'}`;
  };
  return { answerer, ask };
}

t.test('the file that the connection is for is had by every name, in ranges, and with its tree', async t => {
  const { ask, answerer } = made(1);
  t.equal(ask(`/uri-res/N2R?${urn(1)}`), 'file');
  t.equal(ask(`/uri-res/N2R?${urn(1)}`, 'Range: bytes=10-19'), 'file');
  t.equal(ask('/get/1/song%201.ogg'), 'file');
  t.equal(ask('/get/77/renamed.ogg', `X-Gnutella-Content-URN: ${urn(1)}`), 'file');
  t.equal(ask(`/uri-res/N2X?${urn(1)}`), 'tree');
  t.equal(made(3).ask(`/uri-res/N2R?${urn(3)}`, 'Range: bytes=0-99'), 'file', 'a part');
  t.equal(made(9).ask(`/uri-res/N2R?${urn(9)}`), '404 goes on', 'it is shared no more');
  t.equal(answerer.outcomes.of('other_file'), 0);
});

t.test('anything else is refused alike, whether it is shared or not, and the connection is closed', async t => {
  const { ask, answerer } = made(1);
  const others = [
    [`/uri-res/N2R?${urn(2)}`],
    [`/uri-res/N2R?${urn(3)}`],
    [`/uri-res/N2R?${urn(9)}`],
    [`/uri-res/N2X?${urn(2)}`],
    ['/get/2/song%202.ogg'],
    ['/get/9/unknown.ogg'],
    ['/get/1/song%201.ogg', `X-Gnutella-Content-URN: ${urn(2)}`],
    [`/uri-res/N2R?${urn(2)}`, `X-Gnutella-Content-URN: ${urn(1)}`],
    ['/'],
    ['/favicon.ico'],
    ['/gnutella/push-proxy?ServerId=AAAAAAAAAAAAAAAAAAAAAAAAAA', 'X-Node: 192.0.2.9:1'],
  ] as const;
  for (const [target, ...headers] of others) t.equal(ask(target, ...headers), '404 closes', target);
  t.equal(answerer.outcomes.of('other_file'), others.length);
  t.equal(answerer.outcomes.of('push_passed'), 0);
  const any = made(null);
  t.equal(any.ask(`/uri-res/N2R?${urn(2)}`), 'file', 'other connections are for any file');
  t.equal(any.ask('/'), 'browse');
});
