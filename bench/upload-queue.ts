// Decides one request among 10,000 entries of the upload queue: a poll, a newcomer, and a slot that falls free.
import { SystemRandom } from '../daemon/system.ts';
import type { SlotRequest } from '../protocol/transfer/uploads/queue/admission.ts';
import { UploadQueue } from '../protocol/transfer/uploads/upload-queue.ts';

export const about = 'upload queue: one decision among 10,000 entries';

const ENTRIES = 10_000;
const CALLS = 2_000;
const SLOTS = 10;

const request = (connection: number): SlotRequest => ({
  connection,
  address: `10.${connection >> 16}.${(connection >> 8) & 255}.${connection & 255}`,
  level: 'parq',
  file: { key: String(connection), name: 'a file', size: (1 + (connection % 1000)) << 20 },
  bytes: 1 << 20,
  toEnd: false,
});

export async function run(): Promise<Record<string, unknown>> {
  const queue = new UploadQueue({ slots: SLOTS, slotsPerAddress: 2, queue: ENTRIES }, { random: new SystemRandom() });
  for (let connection = 1; connection <= SLOTS + ENTRIES; connection++) queue.ask(request(connection), 0);
  const took: number[] = [];
  for (let i = 0; i < CALLS; i++) {
    if (i % 10 === 0) {
      queue.finish(1 + ((i / 10) % SLOTS), i);
      queue.leave(1 + ((i / 10) % SLOTS), i);
    }
    const connection = SLOTS + 1 + ((i * 7919) % ENTRIES);
    const start = process.hrtime.bigint();
    queue.ask(request(connection), 60_000 + i);
    took.push(Number(process.hrtime.bigint() - start) / 1000);
  }
  took.sort((a, b) => a - b);
  return { entries: queue.waiting, calls: CALLS, usMedian: took[CALLS >> 1], usP99: took[Math.floor(CALLS * 0.99)] };
}
