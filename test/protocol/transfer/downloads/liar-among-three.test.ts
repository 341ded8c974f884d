// Downloads with a hash tree and a liar among the sources, in virtual time.
import t from 'tap';
import { encodeThex } from '../../../../protocol/digest/thex.ts';
import { formatBase32 } from '../../../../protocol/wire/urn.ts';
import { testBytes } from '../../../support/shared-files.ts';
import { SwarmScene, serving } from '../../../support/swarm-scene.ts';
import { sha1Of, treeOf } from '../../../support/verification-scene.ts';
import type { Answers } from '../../../support/visit-scene.ts';

const MIB = 1 << 20;
const content = testBytes(24 * MIB + 77);
const tree = treeOf(content);
const thex = encodeThex(tree);
/** Every 10,000th byte is another. */
const spoilt = Buffer.from(content);
for (let i = 0; i < spoilt.length; i += 10_000) spoilt.writeUInt8(spoilt.readUInt8(i) ^ 1, i);

/** 128 KiB in so many milliseconds, and the right tree. */
function withTree(bytes: Buffer, pieceMs: number): Answers {
  const answers = serving(bytes, 128 << 10, pieceMs, `X-Thex-URI: /tree;${formatBase32(tree.root)}\r\n`);
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/dime\r\nContent-Length: ${thex.length}\r\n\r\n`;
  return (request, number) => (request.target.startsWith('/tree') ? [40, head, thex] : answers(request, number));
}

t.test(
  'of a file with a tree less than 5 % are fetched twice for a liar among three, whose rate is up to ten times theirs',
  async t => {
    for (const [honestMs, liarMs] of [
      [10, 10],
      [100, 10],
    ] as const) {
      const answers = [withTree(content, honestMs), withTree(spoilt, liarMs), withTree(content, honestMs)];
      const scene = new SwarmScene({ sha1: sha1Of(content), size: content.length, answers });
      t.match(scene.run(3_600_000), { kind: 'complete' });
      t.ok(scene.disk.equals(content));
      t.match(scene.source(1), { state: 'dropped', error: /^corrupt: sent wrong bytes/ });
      const share = scene.swarm.planner.wasted / content.length;
      t.ok(share < 0.05, `${(100 * share).toFixed(1)} % were fetched twice`);
      t.comment(`${honestMs} and ${liarMs} ms: ${(100 * share).toFixed(1)} %`);
      t.equal(
        scene.requests.filter(({ head }) => head.target.startsWith('/tree')).length,
        1,
        'the tree is asked for once',
      );
    }
  },
);
