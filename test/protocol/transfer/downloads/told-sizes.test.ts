// Downloads whose size the user did not give: what sources say of it may be a lie.
import t from 'tap';
import { encodeThex } from '../../../../protocol/digest/thex.ts';
import { SizeVotes } from '../../../../protocol/transfer/downloads/size-votes.ts';
import { formatBase32 } from '../../../../protocol/wire/urn.ts';
import { testBytes } from '../../../support/shared-files.ts';
import { SwarmScene, serving } from '../../../support/swarm-scene.ts';
import { sha1Of, treeOf } from '../../../support/verification-scene.ts';
import type { Answers, Said } from '../../../support/visit-scene.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const KIB = 1 << 10;
const content = testBytes(700 * KIB);
const sha1 = sha1Of(content);
const larger = testBytes(900 * KIB, 66);
const smaller = testBytes(300, 66);

t.test('a wrong size that a liar told first does not win: the file comes, and the liar is named', async t => {
  for (const [what, answers] of [
    ['smaller', serving(smaller)],
    ['larger', serving(larger)],
    ['larger, a few bytes each second', serving(larger, 10, 1000)],
    [
      'larger, and then closes',
      (_: unknown, number: number) => [
        ...(number > 0 ? [] : serving(larger)(_ as never, number).slice(0, 3)),
        { end: 'ended' as const },
      ],
    ],
    [
      'larger, in the answer to a range that it has not',
      () => [`HTTP/1.1 416 No\r\nContent-Range: bytes */${larger.length}\r\nContent-Length: 0\r\n\r\n`],
    ],
  ] as const) {
    for (const proof of ['SHA-1', 'tree root'] as const) {
      const hashes = proof === 'SHA-1' ? { sha1 } : { sha1: null, root: treeOf(content).root };
      const scene = new SwarmScene({ ...hashes, answers: [answers, serving(content)] });
      t.match(scene.run(12 * HOUR), { kind: 'complete' }, `${what}, ${proof}`);
      t.ok(scene.disk.equals(content), what);
      t.equal(scene.source(0).bytes, 0, `${what}: no byte of the liar stays`);
      t.match(scene.source(0).error, /^(corrupt|has another file: \d+ bytes, not 716800)/, what);
      t.equal(scene.source(1).state, 'idle', what);
    }
  }
});

t.test('the size that two addresses tell wins over that of one, without a hash', async t => {
  const scene = new SwarmScene({
    sha1: null,
    answers: [serving(larger, 100, 1000), serving(content), serving(content)],
  });
  t.match(scene.run(HOUR), { kind: 'complete' });
  t.ok(scene.now < MINUTE, `${scene.now} ms`);
  t.ok(scene.disk.equals(content));
  t.match(scene.source(0), { state: 'dropped', error: 'has another file: 921600 bytes, not 716800' });
});

t.test('many servents at one address, or in one IPv6 network, have one vote, whatever address they name', async t => {
  for (const remotes of [
    ['5.6.7.8', '5.6.7.9', '5.6.7.9', '5.6.7.9'],
    ['5.6.7.8', '2600::1', '2600::2', '2600::3'],
  ]) {
    const liar = serving(larger, 10, 1000);
    const scene = new SwarmScene({ sha1, answers: [serving(content, 16 * KIB, 500), liar, liar, liar], remotes });
    t.match(scene.run(HOUR), { kind: 'complete' });
    t.equal(scene.resizes, 0);
  }
});

t.test('a liar that comes later changes nothing, nor does one when the user gave the size', async t => {
  const slow = serving(content, 4 * KIB, 500);
  const later = new SwarmScene({ sha1, answers: [slow, serving(larger)] });
  t.match(later.run(HOUR), { kind: 'complete' });
  t.match(later.resizes, 0);
  t.match(later.source(1), { state: 'dropped', error: /another file/ });
  const given = new SwarmScene({ sha1, size: content.length, answers: [serving(larger), serving(larger), slow] });
  t.match(given.run(HOUR), { kind: 'complete' });
  t.equal(given.resizes, 0);
});

t.test('when the honest source is the slow one, what it brought is not lost for ever', async t => {
  const slow = serving(content, 600, 1000);
  const scene = new SwarmScene({ sha1, answers: [slow, serving(larger, 10, 1000)] });
  t.match(scene.run(4 * HOUR), { kind: 'complete' });
  t.ok(scene.disk.equals(content));
  t.comment(`${scene.resizes} changes of the size, ${Math.round(scene.now / MINUTE)} minutes`);
});

t.test(
  'a size with which slices fit the hash tree that the user named is not given up for another because it is slow',
  async t => {
    const long = testBytes(8 << 20);
    const tree = treeOf(long);
    const thex = encodeThex(tree);
    const slow = serving(long, 8000, 1000, `X-Thex-URI: /tree;${formatBase32(tree.root)}\r\n`);
    const honest: Answers = (head, number) =>
      head.target.startsWith('/tree')
        ? [`HTTP/1.1 200 OK\r\nContent-Type: application/dime\r\nContent-Length: ${thex.length}\r\n\r\n`, thex]
        : slow(head, number);
    const hashes = { sha1: sha1Of(long), root: tree.root };
    const scene = new SwarmScene({ ...hashes, answers: [honest, serving(larger, 1, 1000)] });
    t.match(scene.run(HOUR), { kind: 'complete' });
    t.equal(scene.resizes, 0);
    t.equal(scene.swarm.planner.wasted, 0);
  },
);

t.test('a size from before a restart counts as one vote', t => {
  const votes = new SizeVotes(100, false);
  votes.vote('a', 200);
  t.equal(votes.next(0, 0, 0), 100);
  votes.vote('b', 200);
  t.equal(votes.next(0, 0, 0), 200);
  votes.vote('b', 100);
  t.equal(votes.next(0, 0, 0), 100, 'an address has one vote, for what it said last');
  t.equal(votes.onWrongFile(), 200);
  votes.withdraw('a');
  votes.withdraw('b');
  t.equal(votes.onWrongFile(), null, 'nobody is left');
  const given = new SizeVotes(100, true);
  for (const voter of ['a', 'b', 'c']) given.vote(voter, 200);
  t.equal(given.next(0, 0, 0), 100);
  t.notOk(given.onDeadEnd());
  t.end();
});

/** Sends the whole file in chunks, and says nowhere how long it is. */
function untold(pieceBytes: number, pieceMs: number): Answers {
  return () => {
    const said: Said[] = ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'];
    for (let at = 0; at < content.length; at += pieceBytes) {
      const piece = content.subarray(at, at + pieceBytes);
      said.push(pieceMs, `${piece.length.toString(16)}\r\n`, piece, '\r\n');
    }
    return [...said, '0\r\n\r\n'];
  };
}

t.test('a source that does not tell the size, and is slow or silent, holds nobody up', async t => {
  for (const [what, slow] of [
    ['a byte each second', untold(1, 1000)],
    ['nothing after its head', (): Said[] => ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n']],
    ['no head', (): Said[] => []],
    ['its head byte by byte', (): Said[] => [...'HTTP/1.1 200 OK\r\nX: '].flatMap(each => [1000, each])],
  ] as const) {
    for (const [which, quick] of [
      ['one that tells', serving(content)],
      ['another that does not', untold(64 << 10, 100)],
    ] as const) {
      const scene = new SwarmScene({ sha1, answers: [slow, quick] });
      t.match(scene.run(HOUR), { kind: 'complete' }, `${what}, ${which}`);
      t.ok(scene.disk.equals(content));
      t.ok(scene.now < MINUTE / 2, `${what}, ${which}: ${scene.now} ms`);
    }
    if (what === 'a byte each second') continue;
    const alone = new SwarmScene({ sha1, answers: [slow] });
    alone.run(20_000);
    t.not(alone.source(0).state, 'dropped', 'where nobody else is there it is waited for');
  }
});
