// How many uploads run and wait at the same time, and the times of the queue.
import type { UploadGroup } from './upload-group.ts';

export interface UploadLimits {
  /** Uploads at the same time; 0 is none at all. */
  readonly slots: number;
  /** Of those to one address; 0 is no limit. */
  readonly slotsPerAddress: number;
  /** Requests that may wait with a place; further ones are told to come back. */
  readonly queue: number;
  /** With slots of their own; another array when they have changed. */
  readonly groups?: readonly UploadGroup[] | undefined;
  /** Who has given to us moves up. */
  readonly credit?: boolean | undefined;
  /** No upload begins for now, as when a budget is spent; with `slots` 0. Those who ask are told to come back. */
  readonly suspended?: boolean;
}

/** Uploads at the same time, of all groups. */
export const slotsInAll = ({ slots, groups = [] }: Pick<UploadLimits, 'slots' | 'groups'>): number =>
  groups.reduce((sum, group) => sum + group.slots, slots);

export interface UploadTimes {
  /** Shortest time between two polls of a client of X-Queue. */
  pollMinMs: number;
  /** Time without a poll after which its place is given up; also how long a free slot is kept for the first in the queue. */
  pollMaxMs: number;
  /** Time that a slot is held between two requests of a connection. */
  graceMs: number;
}

/** pollMin and pollMax are LimeWire's, so that its clients poll as they are used to; the grace is its keep-alive time. */
export const UPLOAD_TIMES: UploadTimes = { pollMinMs: 45_000, pollMaxMs: 120_000, graceMs: 15_000 };
