// Makes a workload of the rows of a recording: the queries that can be asked again, with their times, and what is left out and why.
import { encodeQuery, QUERY_PAYLOAD_BYTES_MAX } from '../protocol/wire/query.ts';

const NOT_REPLAYED = [
  /** Another servent recorded the same query. */
  'copy',
  /** Words were recorded as hashes. */
  'hashed',
  /** It asked by hash, and which one is not recorded. */
  'by_hash',
  'empty',
  /** Longer than servents take. */
  'too_long',
  /** The row lacks its text or its time. */
  'unreadable',
  /** More queries than are kept. */
  'beyond',
] as const;
export type NotReplayed = (typeof NOT_REPLAYED)[number];

export interface RecordedQuery {
  /** Milliseconds since the first one. */
  readonly at: number;
  readonly text: string;
  /** Servents whose hits for it were recorded. */
  readonly answered: number;
}

export interface Workload {
  /** In the order of their times. */
  readonly queries: readonly RecordedQuery[];
  readonly leftOut: ReadonlyMap<NotReplayed, number>;
  /** Hits were recorded at all: without, nothing is known of files. */
  readonly hits: boolean;
}

export type WorkloadRow = Readonly<Record<string, unknown>>;

const QUERIES_MAX = 200_000;
/** As `queries.privacy` `hashed` writes a word. */
const HASHED = /^[0-9a-f]{12}( [0-9a-f]{12})*$/;

export class WorkloadReader {
  readonly #queriesMax: number;
  readonly #queries = new Map<string, { at: number; text: string }>();
  readonly #leftOut = new Map<NotReplayed, number>();
  /** Servents that answered, by GUID of the query. */
  readonly #sources = new Map<string, Set<string>>();
  #unnamed = 0;
  #hits = false;

  constructor(queriesMax = QUERIES_MAX) {
    this.#queriesMax = queriesMax;
  }

  query(row: WorkloadRow): void {
    const why = this.#take(row);
    if (why !== null) this.#leftOut.set(why, (this.#leftOut.get(why) ?? 0) + 1);
  }

  #take({ guid, at_ms: at, text, urns }: WorkloadRow): NotReplayed | null {
    const time = typeof at === 'bigint' ? Number(at) : at;
    if (typeof text !== 'string' || typeof time !== 'number' || !Number.isFinite(time)) return 'unreadable';
    const key = typeof guid === 'string' ? guid : `row ${this.#unnamed++}`;
    if (this.#queries.has(key)) return 'copy';
    const why = reasonAgainst(text, Number(urns ?? 0));
    if (why !== null) return why;
    if (this.#queries.size >= this.#queriesMax) return 'beyond';
    this.#queries.set(key, { at: time, text });
    return null;
  }

  hit({ guid, source }: WorkloadRow): void {
    this.#hits = true;
    if (typeof guid !== 'string' || typeof source !== 'string' || !this.#queries.has(guid)) return;
    const sources = this.#sources.get(guid);
    if (sources === undefined) this.#sources.set(guid, new Set([source]));
    else if (sources.size < 1000) sources.add(source);
  }

  /** Lines and rows that could not be read at all. */
  unreadable(count: number): void {
    if (count > 0) this.#leftOut.set('unreadable', (this.#leftOut.get('unreadable') ?? 0) + count);
  }

  workload(): Workload {
    const sorted = [...this.#queries].sort(([, a], [, b]) => a.at - b.at);
    const first = sorted[0]?.[1].at ?? 0;
    const queries = sorted.map(([guid, { at, text }]) => ({
      ...{ at: at - first, text },
      answered: this.#sources.get(guid)?.size ?? 0,
    }));
    return { queries, leftOut: this.#leftOut, hits: this.#hits };
  }
}

function reasonAgainst(text: string, urns: number): NotReplayed | null {
  if (text.trim() === '') return urns > 0 ? 'by_hash' : 'empty';
  if (HASHED.test(text)) return 'hashed';
  if (text.includes('\0')) return 'unreadable'; // a query ends there: no servent has sent it
  return encodeQuery({ text }).length > QUERY_PAYLOAD_BYTES_MAX ? 'too_long' : null;
}
