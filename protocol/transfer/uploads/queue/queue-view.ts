// A waiting entry as admins see it.
import type { AbsentView, QueueView, WaitReason } from './admission.ts';
import type { QueueEntry, Standing } from './queue-entry.ts';

export function viewOf(entry: QueueEntry, standing: Standing, etaSeconds: number | null): QueueView {
  return {
    id: entry.id,
    position: standing.position,
    length: standing.length,
    etaSeconds,
    sizeClass: entry.pool.classOf(entry),
    why: reasonOf(entry, standing),
    earlyPolls: entry.early.count,
    active: entry.connection !== null,
  };
}

export function absentViewOf({ load, agent, node, file, enteredAt, pool }: QueueEntry, queue: QueueView): AbsentView {
  return { queue, address: load.address, agent, node, file, since: enteredAt, group: pool.name || null };
}

function reasonOf({ passedOver, pool }: QueueEntry, { frozen, next }: Standing): WaitReason {
  if (passedOver) return 'passed_over';
  if (frozen) return 'address_share';
  if (next) return 'slot_kept';
  return pool.free === 0 ? 'slots_taken' : 'others_first';
}
