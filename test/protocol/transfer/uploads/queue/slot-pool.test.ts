// What a lane remembers of its last look is what a new look would find.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { AddressLoads } from '../../../../../protocol/transfer/uploads/queue/address-load.ts';
import { QueueEntry } from '../../../../../protocol/transfer/uploads/queue/queue-entry.ts';
import { sizeClassOf } from '../../../../../protocol/transfer/uploads/queue/size-class.ts';
import { SlotPool } from '../../../../../protocol/transfer/uploads/queue/slot-pool.ts';
import { MIB } from '../../../../support/upload-queue.ts';

const SLOTS = 3;

/** Positions and bytes ahead as they are defined: by turns of addresses, counted from the slots that each has. */
function standingsOf(waiting: readonly QueueEntry[], perAddress: number): Map<QueueEntry, [number, number]> {
  const turns = new Map<string, number>();
  const ranked = [...waiting].sort((a, b) => a.rank - b.rank || a.number - b.number);
  const turnOf = new Map<QueueEntry, number>();
  const laneOf = ({ file }: QueueEntry) => sizeClassOf(file.size, SLOTS);
  for (const entry of ranked) {
    const { address, held } = entry.load;
    const frozen = entry.passedOver || (perAddress > 0 && held >= perAddress);
    const key = `${laneOf(entry)} ${address}`;
    const turn = turns.get(key) ?? held;
    if (!frozen) turns.set(key, turn + 1);
    turnOf.set(entry, frozen ? -1 : turn);
  }
  return new Map(
    ranked.map(entry => {
      const own = turnOf.get(entry) ?? -1;
      const ahead = ranked.filter((other, i) => {
        const turn = turnOf.get(other) ?? -1;
        if (turn < 0 || laneOf(other) !== laneOf(entry)) return false;
        return own < 0 || turn === own ? i < ranked.indexOf(entry) : turn < own;
      });
      return [entry, [1 + ahead.length, ahead.reduce((sum, { file }) => sum + file.size, 0)]];
    }),
  );
}

const step = fc.record({
  what: fc.constantFrom('enter', 'enter', 'enter', 'leave', 'want', 'pass', 'hold', 'release', 'look', 'look'),
  who: fc.nat(30),
  address: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
  mib: fc.constantFrom(1, 2, 200, 400, 700, 900),
  rank: fc.nat(5),
});

t.test('after any changes, positions and bytes ahead are those of a new look', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), fc.nat(2), (steps, perAddress) => {
      const pool = new SlotPool('', SLOTS, perAddress);
      const loads = new AddressLoads();
      const waiting: QueueEntry[] = [];
      const holding: QueueEntry[] = [];
      const check = () => {
        const wanted = standingsOf(waiting, perAddress);
        const all = pool.standings();
        for (const [entry, [position, bytesAhead]] of wanted) {
          const { position: found, bytesAhead: bytes, next } = pool.standingOf(entry);
          assert.deepEqual([found, bytes], [position, bytesAhead]);
          assert.deepEqual(all.get(entry), { ...pool.standingOf(entry), next });
        }
        const firsts = waiting.filter(entry => pool.standingOf(entry).next);
        assert.deepEqual(new Set(pool.firsts()), new Set(firsts));
      };
      let number = 0;
      for (const { what, who, address, mib, rank } of steps) {
        const file = { key: String(mib), name: 'a file', size: mib * MIB };
        const entry = waiting[who % Math.max(1, waiting.length)];
        if (what === 'enter') {
          const load = loads.get(address);
          const given = { id: '', load, level: 'parq', agent: null, number: number++, file, pool } as const;
          const fresh = new QueueEntry(given, rank);
          pool.insert(fresh);
          load.waiting++;
          waiting.push(fresh);
        } else if (what === 'release') {
          const holder = holding.pop();
          if (holder === undefined) continue;
          pool.release(holder);
          holder.load.held--;
        } else if (what === 'look') check();
        else if (entry === undefined) continue;
        else if (what === 'want') pool.want(entry, file);
        else if (what === 'pass') pool.passOver(entry, !entry.passedOver);
        else {
          pool.remove(entry);
          entry.load.waiting--;
          waiting.splice(waiting.indexOf(entry), 1);
          if (what !== 'hold') continue;
          pool.hold(entry);
          entry.load.held++;
          holding.push(entry);
        }
      }
      check();
    }),
    { numRuns: 200 },
  );
});
