// The limits of the made-up network.
import type { StatusView } from '../../api/control.ts';

/** A limit of uploads by timetable, nearly reached. */
export const limitsOf = (uploads: readonly { rate: number }[]): StatusView['limits'] => [
  {
    ...{ name: 'upload', value: 512_000, stopped: false, origin: 'schedule', changesAt: null },
    why: 'limits.schedule, entry 1: mon tue wed thu fri 08:00 to 18:00',
    used: uploads.reduce((sum, { rate }) => sum + rate, 0),
  },
];
