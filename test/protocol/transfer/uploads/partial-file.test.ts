import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { parseAvailable, parseAvailableRanges } from '../../../../protocol/transfer/content-range.ts';
import { parseRequestHead } from '../../../../protocol/transfer/http-head.ts';
import { RangeSet } from '../../../../protocol/transfer/range-set.ts';
import type { PartialFile } from '../../../../protocol/transfer/uploads/partial-file.ts';
import { UploadAnswerer } from '../../../../protocol/transfer/uploads/upload-answerer.ts';
import { formatSha1Urn } from '../../../../protocol/wire/urn.ts';
import { blockOf, split } from '../../../support/captured-http.ts';
import { readFixture } from '../../../support/fixtures.ts';
import { testIdentity, testMesh } from '../../../support/shared-files.ts';
import { uploadQueue } from '../../../support/upload-queue.ts';

interface Vectors {
  range_partial_file: {
    size: number;
    have: [number, number][];
    cases: { range?: string; expect: { status: number; content_range?: string; x_available_ranges?: string } }[];
  };
}

const { size, have, cases } = readFixture<Vectors>('vectors/transfer-vectors.json').range_partial_file;
const DATE = Date.UTC(2026, 0, 2);
const SHA1 = Buffer.alloc(20, 7);

function part(verified: RangeSet, more: Partial<PartialFile> = {}): PartialFile {
  const file = { index: 0, name: 'x.bin', size, sha1: SHA1, tigerRoot: null, modifiedAt: DATE };
  return { ...file, verified, growing: true, ...more };
}

const listed = part(RangeSet.of(have.map(([first, last]) => ({ start: first, end: last + 1 }))));

/** Asks over one connection, one after the other. */
function server(file: PartialFile, slots = 4) {
  const none = () => null;
  const answerer = new UploadAnswerer({
    files: { byIndex: none, bySha1: none, byTigerRoot: none },
    partials: { partialOf: sha1 => (sha1.equals(file.sha1) ? file : null) },
    queue: uploadQueue({ slots, slotsPerAddress: 0, queue: 1 }),
    identity: testIdentity,
    mesh: testMesh(),
  });
  const connection = answerer.connect('20.0.0.1', 0);
  if (connection === null) throw new Error('no room');
  return (range: string | undefined, target = `/uri-res/N2R?${formatSha1Urn(SHA1)}`, method = 'GET', more = '') => {
    const fields = `${range === undefined ? '' : `Range: ${range}\r\n`}${more}`;
    const request = parseRequestHead(blockOf(`${method} ${target} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`));
    const verdict = connection.request(request, 0, DATE);
    if (verdict.kind === 'tree') throw new Error('a part has no tree');
    if (verdict.kind !== 'file') return split(verdict.bytes).head;
    const { head } = split(connection.opened().bytes);
    connection.sent('whole', 0);
    return head;
  };
}

t.test('ranges of a partial file are answered as the vectors say, by hash alone', async t => {
  const ask = server(listed);
  for (const { range, expect } of cases) {
    for (const method of ['GET', 'HEAD']) {
      const { status, headers } = ask(range, undefined, method);
      t.equal(status, expect.status, `${method} ${range}`);
      t.equal(headers.get('Content-Range'), expect.content_range ?? `bytes */${size}`);
      t.equal(headers.get('X-Available-Ranges'), 'bytes 0-285, 400-599', 'of 2xx and 416');
      t.equal(headers.get('Connection'), null, 'the connection is kept');
      t.equal(headers.get('Retry-After'), null, 'more comes soon');
      if (status === 416) t.equal(headers.get('Content-Length'), '0');
    }
  }
});

t.test('a part is found by no index, has no tree, and is not what another hash names', async t => {
  const ask = server(listed);
  const urn = formatSha1Urn(SHA1);
  t.equal(ask('bytes=0-9', '/get/0/x.bin').status, 404);
  t.equal(ask(undefined, `/uri-res/N2X?${urn}`).status, 404);
  t.equal(ask('bytes=0-9', '/get/5/x.bin', 'GET', `X-Gnutella-Content-URN: ${urn}\r\n`).status, 206);
  const other = `X-Gnutella-Content-URN: ${formatSha1Urn(Buffer.alloc(20, 8))}\r\n`;
  t.equal(ask('bytes=0-9', undefined, 'GET', other).status, 404);
});

t.test('busy says how much there is, and not which ranges; a file at rest says when to come back', async t => {
  const holder = server(part(RangeSet.of([{ start: 0, end: 900_000 }]), { size: 1_000_000 }), 1);
  t.equal(holder('bytes=0-').status, 206);
  const busy = (() => {
    const file = part(RangeSet.of([{ start: 0, end: 900_000 }]), { size: 1_000_000 });
    const answerer = new UploadAnswerer({
      files: { byIndex: () => null, bySha1: () => null, byTigerRoot: () => null },
      partials: { partialOf: () => file },
      queue: uploadQueue({ slots: 1, slotsPerAddress: 0, queue: 0 }),
      identity: testIdentity,
      mesh: testMesh(),
    });
    const request = parseRequestHead(
      blockOf(`GET /uri-res/N2R?${formatSha1Urn(SHA1)} HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\n\r\n`),
    );
    answerer.connect('20.0.0.1', 0)?.request(request, 0, DATE);
    const verdict = answerer.connect('20.0.0.2', 0)?.request(request, 0, DATE);
    if (verdict?.kind !== 'reply') throw new Error(verdict?.kind);
    return split(verdict.bytes).head;
  })();
  t.equal(busy.status, 503);
  t.equal(busy.headers.get('X-Available'), 'bytes 900000');
  t.equal(busy.headers.get('X-Available-Ranges'), null);
  for (const [hours, seconds] of [
    [0, null],
    [1, '1800'],
    [1000, '86400'],
  ] as const) {
    const ask = server({ ...listed, growing: false, modifiedAt: DATE - hours * 3_600_000 });
    t.equal(ask('bytes=300-350').headers.get('Retry-After'), seconds);
    t.equal(ask('bytes=0-9').headers.get('Retry-After'), null);
  }
});

t.test('a long list comes in pieces, which together are all of it', async t => {
  const verified = RangeSet.of(Array.from({ length: 400 }, (_, i) => ({ start: 1000 * i, end: 1000 * i + 500 })));
  const ask = server(part(verified, { size: 1_000_000 }));
  const sum = RangeSet.of();
  for (let i = 0; i < 15; i++) {
    const { headers } = ask(`bytes=${1000 * i}-`);
    const text = headers.get('X-Available-Ranges') ?? '';
    t.ok(text.length <= 512);
    t.equal(parseAvailable(headers.get('X-Available') ?? ''), verified.bytes);
    for (const { start, end } of parseAvailableRanges(text, 1_000_000) ?? []) sum.add(start, end);
  }
  t.equal(sum.bytes, verified.bytes);
});

t.test('only verified bytes are ever served, whatever the range', async () => {
  const ranges = fc.array(fc.tuple(fc.nat({ max: 99 }), fc.nat({ max: 30 })), { maxLength: 8 });
  const asked = fc.oneof(
    fc.stringMatching(/^bytes[= ]\d{0,3}-\d{0,3}(,\d{0,3}-\d{0,3}){0,5}$/),
    fc.constantFrom('bytes=0-', 'bytes=-50', `bytes=0-9${',0-9'.repeat(2000)}`, 'bytes=99999999999999999999-'),
  );
  fc.assert(
    fc.property(ranges, asked, (pairs, range) => {
      const verified = RangeSet.of(pairs.map(([start, length]) => ({ start, end: Math.min(100, start + length) })));
      const { status, headers } = server(part(verified, { size: 100 }))(range);
      const [, first, last] = /^bytes (\d+)-(\d+)\/100$/.exec(headers.get('Content-Range') ?? '') ?? [];
      if (status === 206) assert.ok(verified.covers(Number(first), Number(last) + 1), `${range}: ${first}-${last}`);
      else assert.ok(status === 416 || status === 400, String(status));
    }),
  );
});
