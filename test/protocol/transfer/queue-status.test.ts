import fc from 'fast-check';
import t from 'tap';
import { formatQueue, parseQueue, parseQueued, parseRetryAfter } from '../../../protocol/transfer/queue-status.ts';
import { readFixture } from '../../support/fixtures.ts';

interface Vectors {
  x_queue_parse: {
    header: string;
    in: string;
    retry_after?: number;
    out: {
      kind: string;
      position?: number;
      length?: number;
      limit?: number;
      pollMin?: number;
      pollMax?: number;
      eta?: number;
      lifetime?: number;
      id?: string;
    };
  }[];
}

t.test('X-Queue and X-Queued as the vectors say', async t => {
  for (const { header, in: text, retry_after, out } of readFixture<Vectors>('vectors/transfer-vectors.json')
    .x_queue_parse) {
    const status = header === 'X-Queue' ? parseQueue(text) : parseQueued(text, retry_after ?? null);
    if (out.kind === 'client-capability') {
      t.equal(status, null, text);
      continue;
    }
    t.match(status, {
      position: out.position,
      length: out.length ?? null,
      limit: out.limit ?? null,
      pollMinSeconds: out.pollMin ?? retry_after ?? null,
      pollMaxSeconds: out.pollMax ?? out.lifetime ?? null,
      etaSeconds: out.eta ?? null,
      id: out.id ?? null,
    });
  }
});

t.test('our own queue header is one that we would understand', async t => {
  t.match(parseQueue(formatQueue(3, 44_001, 120_000)), { position: 3, pollMinSeconds: 45, pollMaxSeconds: 120 });
  t.equal(parseQueue('position=1, pollMin=45'), null, 'LimeWire wants all three');
});

t.test('Retry-After is seconds within reason', async t => {
  t.equal(parseRetryAfter('60'), 60);
  t.equal(parseRetryAfter(' 0 '), 1);
  t.equal(parseRetryAfter('999999'), 3600);
  for (const text of [null, '', '-5', 'Sun, 01 Jun 2025 10:24:40 GMT', '1e3', '99999999999']) {
    t.equal(parseRetryAfter(text), null, String(text));
  }
});

t.test('any text gives a status or null, never an exception', async () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), text => {
      parseQueue(text);
      parseQueued(text, 5);
      parseRetryAfter(text);
    }),
  );
});
