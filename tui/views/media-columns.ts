// The columns of results and shared files that only media files fill; they leave first when there is no room.
import { formatBitrate, formatPlayTime } from '../../api/format.ts';
import type { Column } from '../table.ts';

interface Playable {
  readonly length: number | null;
  readonly bitrate: number | null;
}

export const mediaColumns: readonly Column<Playable>[] = [
  {
    id: 'length',
    title: 'LENGTH',
    of: ({ length }) => formatPlayTime(length),
    by: ({ length }) => length ?? 0,
    width: 7,
    rank: 7,
    right: true,
  },
  {
    id: 'bitrate',
    title: 'KBIT/S',
    of: ({ bitrate }) => formatBitrate(bitrate),
    by: ({ bitrate }) => bitrate ?? 0,
    width: 6,
    rank: 8,
    right: true,
  },
];
