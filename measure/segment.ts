// Names the files of a recording, and decides which of them are read and which are removed.
import { isTableName, type TableName } from './tables.ts';

/**
 * `open`: rows are being added. `closed`: it will become a Parquet file. `unsent`: it waits for the database. `parquet`: it is
 * as it stays.
 */
export type SegmentState = 'open' | 'closed' | 'unsent' | 'parquet';

export interface SegmentName {
  readonly table: TableName;
  /** Increases over all segments of a folder, whatever the clock says. */
  readonly number: number;
  /** Of the servent that wrote it. */
  readonly run: string;
  readonly kind: 'journal' | 'unsent' | 'parquet';
}

export interface Segment {
  readonly name: string;
  readonly table: TableName;
  readonly number: number;
  readonly state: SegmentState;
  readonly rows: number;
  readonly bytes: number;
  /** Times of the first row and the last, in milliseconds since 1970; null: it has none. */
  readonly from: number | null;
  readonly to: number | null;
}

const ENDINGS = { journal: '.journal', unsent: '.unsent.journal', parquet: '.parquet' } as const;
const NAME = /^([a-z_]+)-(\d{8,15})-([0-9a-f]{8})(\.journal|\.unsent\.journal|\.parquet)$/;
/** Ending of a file that is not whole yet. */
export const UNFINISHED = '.tmp';
/** Ending that a journal gets of which nothing can be read: people, or another version, may. */
export const UNREADABLE = '.unreadable';

export function segmentFile({ table, number, run, kind }: SegmentName): string {
  return `${table}-${String(number).padStart(8, '0')}-${run}${ENDINGS[kind]}`;
}

/** What the name of a file says; null: it is no segment. */
export function parseSegmentFile(file: string): SegmentName | null {
  const [, table = '', digits = '', run = '', ending = ''] = NAME.exec(file) ?? [];
  if (!isTableName(table)) return null;
  const kind = (Object.keys(ENDINGS) as SegmentName['kind'][]).find(name => ENDINGS[name] === ending);
  return kind === undefined ? null : { table, number: Number(digits), run, kind };
}

/**
 * The segments among the names of a folder, oldest first. A journal whose Parquet file is there is left out: a crash came between
 * the two, and the Parquet file is whole since it got its name last.
 */
export function segmentsAmong(files: readonly string[]): { file: string; segment: SegmentName }[] {
  const named = files.flatMap(file => {
    const segment = parseSegmentFile(file);
    return segment === null ? [] : [{ file, segment }];
  });
  const stem = ({ table, number, run }: SegmentName): string => `${table}-${number}-${run}`;
  const whole = new Set(named.flatMap(({ segment }) => (segment.kind === 'parquet' ? [stem(segment)] : [])));
  return named
    .filter(({ segment }) => segment.kind === 'parquet' || !whole.has(stem(segment)))
    .sort((a, b) => a.segment.number - b.segment.number);
}

/** The oldest segments that have to go so that the rest takes at most `bytesMax`; open ones stay. */
export function surplus<S extends Pick<Segment, 'number' | 'bytes' | 'state'>>(
  segments: readonly S[],
  bytesMax: number,
): S[] {
  let bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const gone: S[] = [];
  for (const segment of [...segments].sort((a, b) => a.number - b.number)) {
    if (bytes <= bytesMax) break;
    if (segment.state === 'open') continue;
    gone.push(segment);
    bytes -= segment.bytes;
  }
  return gone;
}
