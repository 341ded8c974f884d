// Credit in the upload queue: who has given to us moves up, but nobody starves.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { CREDIT_MS_MAX, creditMs } from '../../../../../protocol/transfer/uploads/queue/credit.ts';
import { placeOf, slotRequest, uploadQueue } from '../../../../support/upload-queue.ts';

const LIMITS = { slots: 1, slotsPerAddress: 0, queue: 100 };

t.test('a minute for each 100 MB, ten minutes at most', async t => {
  t.strictSame([0, 50_000_000, 100_000_000, 1e15, -5].map(creditMs), [0, 30_000, 60_000, CREDIT_MS_MAX, 0]);
});

t.test('who has given us something moves up, where the setting says so', async t => {
  const gave = (address: string) => (address === 'friend' ? 100_000_000 : 0);
  for (const credit of [false, true]) {
    const queue = uploadQueue({ ...LIMITS, credit }, { gave });
    queue.ask(slotRequest(1, 'a'), 0);
    queue.ask(slotRequest(2, 'b'), 0);
    queue.ask(slotRequest(3, 'c'), 30_001);
    t.equal(placeOf(queue.ask(slotRequest(4, 'friend'), 60_001)).position, credit ? 2 : 3);
    t.equal(queue.view(2)?.position, 1, 'more than its minute earlier');
  }
});

t.test('whatever others have given, who came ten minutes earlier is before them', async () => {
  const client = fc.record({ waitMs: fc.integer({ min: 50_000, max: 110_000 }), gave: fc.nat({ max: 3_000_000_000 }) });
  const property = fc.property(fc.array(client, { minLength: 12, maxLength: 20 }), clients => {
    const gave = (address: string) => clients[Number(address)]?.gave ?? 0;
    const queue = uploadQueue({ ...LIMITS, credit: true }, { gave });
    queue.ask(slotRequest(99, 'x'), 0);
    let now = 0;
    const entered = clients.map(({ waitMs }, i) => {
      now += waitMs;
      queue.ask(slotRequest(i, String(i), { level: 'active' }), now);
      for (let j = 0; j < i; j++)
        if (queue.view(j) !== null) queue.ask(slotRequest(j, String(j), { level: 'active' }), now);
      return now;
    });
    for (const [i, earlier] of entered.entries())
      for (const [j, later] of entered.entries()) {
        const [a, b] = [queue.view(i), queue.view(j)];
        if (a === null || b === null || later - earlier <= CREDIT_MS_MAX) continue;
        assert.ok(a.position < b.position, `${i} before ${j}`);
      }
  });
  fc.assert(property, { numRuns: 200 });
});

t.test('one that has given nothing is served, though newcomers with credit never end', async t => {
  const gave = (address: string) => (address === 'poor' ? 0 : 1e12);
  const queue = uploadQueue({ ...LIMITS, credit: true }, { gave });
  queue.ask(slotRequest(1, 'x'), 0);
  queue.ask(slotRequest(2, 'poor', { level: 'active' }), 0);
  let sending = 1;
  let served = 0;
  for (let now = 60_000; sending !== 2; now += 60_000) {
    assert.ok(++served < 30, 'it starves');
    queue.ask(slotRequest(1000 + served, `rich ${served}`, { level: 'active' }), now - 1);
    queue.finish(sending, now);
    queue.leave(sending, now);
    const asking = [2, ...Array.from({ length: served }, (_, i) => 1001 + i)];
    const granted = asking
      .filter(connection => queue.view(connection) !== null)
      .find(connection => {
        const address = connection === 2 ? 'poor' : `rich ${connection - 1000}`;
        return queue.ask(slotRequest(connection, address, { level: 'active' }), now).kind === 'granted';
      });
    sending = granted ?? assert.fail('nobody got the slot');
  }
  t.ok(served > 5 && served <= 12, `${served} were served before`);
});
