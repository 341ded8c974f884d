// Downloads that run out of sources while bytes are still to be hashed.
import t from 'tap';
import { encodeThex } from '../../../../protocol/digest/thex.ts';
import type { TigerTree } from '../../../../protocol/digest/tiger-tree.ts';
import { formatBase32 } from '../../../../protocol/wire/urn.ts';
import { testBytes } from '../../../support/shared-files.ts';
import { SwarmScene, serving } from '../../../support/swarm-scene.ts';
import { sha1Of, treeOf } from '../../../support/verification-scene.ts';
import type { Answers } from '../../../support/visit-scene.ts';

const HOUR = 3_600_000;
const content = testBytes(2 << 20);
const sha1 = sha1Of(content);
const wrong = testBytes(content.length, 66);

const offering =
  (bytes: Buffer, tree: TigerTree): Answers =>
  (head, number) => {
    const thex = encodeThex(tree);
    if (head.target.startsWith('/tree'))
      return [`HTTP/1.1 200 OK\r\nContent-Type: application/dime\r\nContent-Length: ${thex.length}\r\n\r\n`, thex];
    return serving(bytes, 16 << 10, 50, `X-Thex-URI: /tree;${formatBase32(tree.root)}\r\n`)(head, number);
  };

/** Slices that are wrong drop the only source; while the others are hashed another is found. */
class LateSource extends SwarmScene {
  #drops = 0;

  override drop(): void {
    if (++this.#drops === 2) this.add(busyOnce);
  }
}

const busyOnce: Answers = (head, number) =>
  number === 0
    ? ['HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n']
    : serving(content, 16 << 10, 10)(head, number);

t.test('a source that is added while the last slices are hashed is waited for', async t => {
  const root = treeOf(content).root;
  const scene = new LateSource({
    sha1,
    root,
    size: content.length,
    answers: [offering(wrong, treeOf(content))],
    hashMs: 1000,
  });
  t.match(scene.run(HOUR), { kind: 'complete', reason: null });
  t.equal(scene.source(0).state, 'dropped');
  t.equal(scene.requests.filter(({ port }) => port === 2).length > 1, true, 'asked again');
});

t.test('who was only suspected of wrong bytes is asked again as soon as nobody else answers', async t => {
  const gone: Answers = () => [{ end: 'broken' }];
  const answers = [serving(content, 16 << 10, 10), gone];
  const scene = new SwarmScene({ sha1, root: treeOf(content).root, size: content.length, answers });
  const { planner, verification } = scene.swarm;
  const suspected = scene.source(0);
  const parts = [suspected.number, 99].map(source => ({ source, voter: `10.0.0.${source}`, bytes: 1000 }));
  for (const start of [0, 1000])
    verification.suspects.onWrong(start, sha1, parts, { size: content.length, isAsked: true, isFirm: true });
  planner.onCorrupt(suspected, 'corrupt: sent wrong bytes', 0);
  t.match(scene.run(HOUR), { kind: 'complete' });
  t.ok(scene.now < 60_000, `${scene.now} ms, and the other is tried 16 times`);
});
