// Uploads of the made-up network: four run, the others wait in the queue.
import type { FileView, UploadView } from '../../api/control.ts';
import type { Maker } from './maker.ts';
import { SERVENTS } from './names.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const SLOTS = 4;
const WAITING = 3;
const WHY = ['others_first', 'slots_taken', 'address_share'] as const;

/** `place` from 0; above the slots they wait. */
export function madeUpload(made: Maker, file: FileView, place: number): Mutable<UploadView> {
  const waiting = place >= SLOTS;
  return {
    id: made.id('u'),
    address: made.address(),
    userAgent: made.pick(SERVENTS),
    state: waiting ? 'queued' : 'active',
    position: waiting ? place - SLOTS + 1 : null,
    queue: waiting ? placeOf(place - SLOTS) : null,
    group: place === 1 ? 'friends' : null,
    name: file.name,
    urn: file.urn,
    size: file.size,
    start: 0,
    end: Math.max(0, file.size - 1),
    sent: waiting ? 0 : Math.floor(file.size * made.random() * 0.6),
    rate: waiting ? 0 : 20_000 + Math.floor(made.random() * 90_000),
    since: made.ago(600),
  };
}

function placeOf(before: number): UploadView['queue'] {
  return {
    id: String(before).padStart(32, '5e2a9c07'),
    position: before + 1,
    length: WAITING,
    eta: 95 + 410 * before,
    sizeClass: 2,
    why: WHY[before] ?? 'slots_taken',
    earlyPolls: before,
    active: before === 0,
  };
}
