// An upload queue whose ids are the same in each run, and clients that ask it.
import type { Admission, SlotRequest } from '../../protocol/transfer/uploads/queue/admission.ts';
import {
  UPLOAD_TIMES,
  type UploadLimits,
  type UploadTimes,
} from '../../protocol/transfer/uploads/queue/upload-limits.ts';
import { type QueuePorts, UploadQueue } from '../../protocol/transfer/uploads/upload-queue.ts';
import { SeededRandom } from './virtual-network.ts';

export const MIB = 2 ** 20;

export function uploadQueue(
  limits: UploadLimits,
  { times = UPLOAD_TIMES, seed = 1, ...ports }: Partial<QueuePorts> & { times?: UploadTimes; seed?: number } = {},
): UploadQueue {
  return new UploadQueue(limits, { random: new SeededRandom(seed), ...ports }, times);
}

/** A request for a whole file of 4 MiB by a client of PARQ. */
export function slotRequest(
  connection: number,
  address: string,
  more: Partial<SlotRequest> & { size?: number } = {},
): SlotRequest {
  const { size = 4 * MIB, ...rest } = more;
  const file = { key: `file of ${size}`, name: 'a file', size };
  return { connection, address, level: 'parq', file, bytes: size, toEnd: true, ...rest };
}

export function placeOf(admission: Admission): { id: string; position: number; retryMs: number } {
  if (admission.kind !== 'queued') throw new Error(admission.kind);
  return { ...admission.place, id: admission.place.id ?? '' };
}
