import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { encodeThex } from '../../../../protocol/digest/thex.ts';
import type { TigerTree } from '../../../../protocol/digest/tiger-tree.ts';
import { TigerTreeHasher } from '../../../../protocol/digest/tiger-tree-hasher.ts';
import { thexTarget } from '../../../../protocol/transfer/downloads/thex-uri.ts';
import { TreeQuest } from '../../../../protocol/transfer/downloads/tree-quest.ts';
import { pattern } from '../../../support/byte-patterns.ts';

const SIZE = 900_000; // four slices
const sha1 = Buffer.alloc(20, 1);
const treeOf = (content: string, size = SIZE): TigerTree =>
  new TigerTreeHasher().update(pattern(content, size)).finish();
const file = treeOf('pat251');
const fake = treeOf('A');
const giver = (source: number) => ({ source, voter: `10.0.0.${source}` });
const at = (source: number) => `/tree-of-${source}`;
const offer = (quest: TreeQuest, source: number, { root }: TigerTree): void =>
  quest.onOffer(giver(source), { root, target: at(source) });

t.test('a source that offers a tree is asked for it once the size is known', async t => {
  const quest = new TreeQuest(sha1, null);
  t.equal(quest.next(1, SIZE), null, 'nothing is offered');
  offer(quest, 1, file);
  t.equal(quest.next(1, null), null);
  t.equal(quest.next(2, SIZE), null, 'another offered none');
  t.ok(quest.wants(1));
  t.strictSame(quest.next(1, SIZE), { root: file.root, target: at(1) });
  t.equal(quest.asking, 1);
  offer(quest, 2, file);
  t.equal(quest.next(2, SIZE), null, 'one is asked at a time');
  t.strictSame(quest.onTree(giver(1), encodeThex(file), SIZE), { kind: 'taken', tree: file });
  t.strictSame(quest.tree, file);
  t.strictSame(quest.giver, giver(1));
  t.equal(quest.next(2, SIZE), null, 'there is a tree');
  t.notOk(quest.wants(2));
});

t.test('no other root is looked at than the one that the user gave', async t => {
  const quest = new TreeQuest(sha1, file.root);
  t.ok(quest.isFirm);
  offer(quest, 1, fake);
  t.equal(quest.next(1, SIZE), null);
  offer(quest, 2, file);
  quest.next(2, SIZE);
  const outcome = quest.onTree(giver(2), encodeThex(fake), SIZE);
  t.match(outcome, { kind: 'refused', isLie: true });
  t.equal(quest.next(2, SIZE), null, 'its offer is gone');
  offer(quest, 3, file);
  quest.next(3, SIZE);
  t.equal(quest.onTree(giver(3), encodeThex(file), SIZE).kind, 'taken');
  t.equal(quest.refute(), null);
  t.strictSame(quest.tree, file, 'the user is not refuted');
});

t.test('a hit names a root and a source that has the tree', async t => {
  const quest = new TreeQuest(sha1, null);
  quest.onHit(file.root, 4);
  t.strictSame(quest.root, file.root);
  t.strictSame(quest.next(4, SIZE), { root: file.root, target: thexTarget(sha1, file.root) });
  const nameless = new TreeQuest(null, null);
  nameless.onHit(file.root, 4);
  t.equal(nameless.next(4, SIZE), null, 'without a SHA-1 it is not known where');
});

t.test('votes of addresses rank roots; those of hits are one, and an address has one', async t => {
  const quest = new TreeQuest(sha1, null);
  for (let i = 0; i < 9; i++) quest.onHit(fake.root);
  offer(quest, 1, file);
  offer(quest, 2, file);
  t.strictSame(quest.root, file.root);
  const crowd = new TreeQuest(sha1, null);
  offer(crowd, 1, file);
  for (let source = 10; source < 20; source++)
    crowd.onOffer({ source, voter: 'one address' }, { root: fake.root, target: at(source) });
  t.strictSame(crowd.root, file.root, 'ten connections from one address are one vote, and the first comes first');
  offer(crowd, 2, file);
  offer(crowd, 3, file);
  t.equal(crowd.next(10, SIZE), null, 'a root that is far behind is not asked for');
  t.strictSame(crowd.next(2, SIZE)?.root, file.root);
});

t.test('a source that fails to send its tree is asked twice, one that has none once', async t => {
  const quest = new TreeQuest(sha1, null);
  offer(quest, 1, file);
  for (let i = 0; i < 2; i++) {
    t.ok(quest.next(1, SIZE));
    quest.onFailed(1, false);
  }
  t.equal(quest.next(1, SIZE), null);
  offer(quest, 1, file);
  t.equal(quest.next(1, SIZE), null, 'offering it again changes nothing');
  offer(quest, 2, file);
  t.ok(quest.next(2, SIZE));
  quest.onFailed(1, true);
  t.equal(quest.asking, 2, 'it was another');
  quest.onFailed(2, true);
  t.equal(quest.next(2, SIZE), null);
});

t.test('garbage and a tree of another size are refused; only one that cannot be true is a lie', async t => {
  const outcomeOf = (bytes: Buffer) => {
    const quest = new TreeQuest(sha1, null);
    offer(quest, 1, file);
    quest.next(1, SIZE);
    const outcome = quest.onTree(giver(1), bytes, SIZE);
    t.equal(quest.tree, null);
    t.equal(quest.next(1, SIZE), null);
    return outcome;
  };
  t.match(outcomeOf(Buffer.from('not found')), { kind: 'refused', isLie: false });
  t.match(outcomeOf(encodeThex(file).subarray(0, 500)), { kind: 'refused', isLie: false });
  t.match(outcomeOf(encodeThex(treeOf('pat251', SIZE + 1))), { kind: 'refused', isLie: true });
  const bent = encodeThex(file);
  bent[bent.length - 1] = (bent[bent.length - 1] ?? 0) ^ 1;
  t.match(outcomeOf(bent), { kind: 'refused', isLie: true });
});

t.test('a tree that is refuted is never believed again, and the next one is asked for', async t => {
  const quest = new TreeQuest(sha1, null);
  offer(quest, 1, fake);
  quest.next(1, SIZE);
  quest.onTree(giver(1), encodeThex(fake), SIZE);
  offer(quest, 2, file);
  t.strictSame(quest.refute(), giver(1));
  t.equal(quest.tree, null);
  offer(quest, 1, fake);
  offer(quest, 3, fake);
  t.equal(quest.next(3, SIZE), null);
  t.strictSame(quest.next(2, SIZE)?.root, file.root);
  quest.onTree(giver(2), encodeThex(file), SIZE);
  t.strictSame(quest.tree, file);
});

t.test('bytes of others than the giver of a tree make it firm', async t => {
  const quest = new TreeQuest(sha1, null);
  offer(quest, 1, file);
  quest.next(1, SIZE);
  quest.onTree(giver(1), encodeThex(file), SIZE);
  quest.onFit([giver(1).voter]);
  quest.onFit([null]);
  quest.onFit([giver(1).voter, giver(2).voter]);
  t.notOk(quest.isFirm);
  quest.onFit([giver(2).voter, giver(3).voter]);
  t.ok(quest.isFirm);
});

t.test(
  'after a wrong SHA-1 every source is asked once more, those that offered nothing too; twice at most',
  async t => {
    const quest = new TreeQuest(sha1, null);
    offer(quest, 1, file);
    quest.next(1, SIZE);
    quest.onFailed(1, false);
    quest.next(1, SIZE);
    quest.onFailed(1, false);
    t.equal(quest.next(1, SIZE), null);
    t.ok(quest.askAgain());
    t.ok(quest.next(1, SIZE));
    quest.onFailed(1, true);
    t.ok(quest.wants(5));
    t.strictSame(quest.next(5, SIZE), { root: null, target: thexTarget(sha1, null) });
    t.strictSame(quest.onTree(giver(5), encodeThex(file), SIZE), { kind: 'taken', tree: file });
    t.strictSame(quest.giver, giver(5));
    quest.refute();
    t.equal(quest.next(5, SIZE), null);
    t.ok(quest.askAgain());
    t.ok(quest.next(5, SIZE));
    t.match(quest.onTree(giver(5), encodeThex(file), SIZE), { kind: 'refused' }, 'it sends the refuted one again');
    t.notOk(quest.askAgain());
  },
);

t.test('the root of a small file is its tree when the user gave it', async t => {
  const small = treeOf('pat251', 1000);
  const asked = new TreeQuest(sha1, small.root);
  asked.settle(1000);
  t.strictSame(asked.tree, small);
  const heard = new TreeQuest(sha1, null);
  offer(heard, 1, small);
  heard.settle(1000);
  t.equal(heard.tree, null, 'SHA-1 says as much');
  t.equal(heard.next(1, 1000), null);
  const only = new TreeQuest(null, null);
  only.onHit(small.root);
  only.settle(1000);
  t.strictSame(only.tree, small);
});

t.test('a stored tree is taken up again unless the user gave another root', async t => {
  const quest = new TreeQuest(sha1, null);
  quest.restore(file);
  t.strictSame(quest.tree, file);
  t.equal(quest.giver, null);
  const other = new TreeQuest(sha1, fake.root);
  other.restore(file);
  t.equal(other.tree, null);
});

t.test('floods of roots, voters and sources stay bounded, and roots of forged hits make room', async t => {
  const quest = new TreeQuest(sha1, null);
  const made = (i: number): Buffer => {
    const root = Buffer.alloc(24);
    root.writeUInt32LE(i + 1);
    return root;
  };
  for (let i = 0; i < 1000; i++) quest.onHit(made(i));
  offer(quest, 1, file);
  t.ok(quest.wants(1), 'a root that a source names replaces one of a hit');
  for (let i = 0; i < 3000; i++)
    quest.onOffer({ source: 100 + i, voter: `voter ${i}` }, { root: made(5000 + i), target: at(i) });
  let asked = 0;
  for (let source = 0; source < 4000; source++) {
    if (quest.next(source, SIZE) === null) continue;
    asked++;
    quest.onFailed(source, true);
  }
  t.ok(asked > 0 && asked <= 64, `${asked} were asked`);
});

t.test(
  'whatever happens, the true tree is found when more addresses tell it than any other, and some honest source answers',
  async () => {
    const step = fc.record({ source: fc.nat({ max: 9 }), act: fc.constantFrom('offer', 'ask', 'fail') });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 3, maxLength: 3 }), fc.array(step, { maxLength: 60 }), (liars, steps) => {
        const lies = new Set([...liars].map(each => each % 10)); // three at most
        const honest = [...Array(10).keys()].filter(source => !lies.has(source));
        const quest = new TreeQuest(sha1, null);
        const treeFrom = (source: number): TigerTree => (lies.has(source) ? fake : file);
        const ask = (source: number): void => {
          if (quest.next(source, SIZE) !== null) quest.onTree(giver(source), encodeThex(treeFrom(source)), SIZE);
          if (quest.tree?.root.equals(fake.root)) assert.ok(lies.has(quest.refute()?.source ?? -1)); // as its slices do not fit
        };
        for (const { source, act } of steps) {
          if (act === 'offer') offer(quest, source, treeFrom(source));
          else if (act === 'ask') ask(source);
          else if (quest.next(source, SIZE) !== null) quest.onFailed(source, false);
        }
        quest.askAgain();
        for (const source of honest) offer(quest, source, file);
        for (const source of [...lies, ...honest]) ask(source);
        assert.deepEqual(quest.tree, file);
      }),
    );
  },
);
