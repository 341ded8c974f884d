// Adds observations to blocks of rows, one for each table.
import { HEADER_BYTES } from '../protocol/constants.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { everyWord } from '../protocol/search/tokenizer.ts';
import { formatEndpoint } from '../protocol/wire/endpoint.ts';
import { parsePong } from '../protocol/wire/pong.ts';
import { parseQuery, URN_QUERY_TEXT } from '../protocol/wire/query.ts';
import { parseQueryHit } from '../protocol/wire/query-hit.ts';
import { Kind, type Observation } from './observation.ts';
import { addPlainText } from './query-columns.ts';
import { RowBlock } from './row-block.ts';
import { type TableName, tableNames } from './tables.ts';

/** Replaces a word where words may not be recorded; null: they may. */
export type WordHash = ((word: string) => string) | null;

const GUID_BYTES = 16;
/** Flags before the text of a query. */
const TEXT_AT = 2;

export class ObservedRows {
  hash: WordHash;
  readonly blocks: ReadonlyMap<TableName, RowBlock> = new Map(tableNames.map(table => [table, new RowBlock(table)]));
  readonly #queries: QueryColumns;
  readonly #hits: HitColumns;

  constructor(hash: WordHash) {
    this.hash = hash;
    this.#queries = queryColumns(this.#block('queries'));
    this.#hits = hitColumns(this.#block('hits'));
  }

  /** Hot. Adds a row, but none for a descriptor that cannot be read, which the overlay has counted. */
  readonly add = (observation: Observation): void => {
    const { kind } = observation;
    if (kind === Kind.Query) this.#query(observation);
    else if (kind === Kind.Hit) this.#hit(observation);
    else if (kind === Kind.Pong) this.#pong(observation);
    else if (kind === Kind.Row) this.#row(observation);
  };

  #query({ seq, at, link, extra, bytes, start, end }: Observation): void {
    const columns = this.#queries;
    columns.block.begin(seq, at);
    columns.link.add(link);
    columns.ownHits.add(extra);
    addHeader(columns, bytes, start, end);
    const payload = start + HEADER_BYTES;
    if (this.hash === null && addPlainText(columns.text, columns.words, bytes, payload + TEXT_AT, end)) {
      columns.urns.add(0);
      return;
    }
    const { text, urns } = queryOf(bytes.subarray(payload, end));
    columns.urns.add(urns);
    const words = everyWord(text);
    const shown = this.hash === null ? words : words.map(this.hash);
    columns.text.add(this.hash === null ? text : shown.join(' '));
    columns.words.add(shown.join(' '));
  }

  #hit({ seq, at, bytes, start, end }: Observation): void {
    const columns = this.#hits;
    const from = start + HEADER_BYTES;
    columns.block.begin(seq, at);
    addHeader(columns, bytes, start, end);
    columns.records.add(from < end ? (bytes[from] ?? 0) : 0);
    columns.source.addHex(bytes, Math.max(from, end - GUID_BYTES), end);
    columns.vendor.add(readable(() => parseQueryHit(bytes.subarray(from, end)).vendor) ?? '');
  }

  #pong({ seq, at, link, bytes, start, end }: Observation): void {
    const pong = readable(() => parsePong(bytes.subarray(start + HEADER_BYTES, end)));
    if (pong === null) return;
    const { endpoint, files, kibibytes, ultrapeer, vendor, dailyUptimeS } = pong;
    this.#block('pongs').add(seq, at, {
      link,
      hops: bytes.readUInt8(start + 18),
      address: formatEndpoint(endpoint),
      files,
      kibibytes,
      ultrapeer: ultrapeer ? 1 : 0,
      vendor: vendor ?? '',
      uptime: dailyUptimeS ?? -1,
    });
  }

  #row({ seq, at, extra, bytes, start, end }: Observation): void {
    const table = tableNames[extra];
    if (table !== undefined) this.#block(table).add(seq, at, JSON.parse(bytes.toString('utf8', start, end)));
  }

  #block(table: TableName): RowBlock {
    const block = this.blocks.get(table);
    if (block === undefined) throw new RangeError(table);
    return block;
  }
}

type QueryColumns = ReturnType<typeof queryColumns>;
type HitColumns = ReturnType<typeof hitColumns>;

/** Of both. */
const headerColumns = (block: RowBlock) => ({
  block,
  guid: block.texts('guid'),
  ttl: block.numbers('ttl'),
  hops: block.numbers('hops'),
  bytes: block.numbers('bytes'),
});

const queryColumns = (block: RowBlock) => ({
  ...headerColumns(block),
  link: block.numbers('link'),
  ownHits: block.numbers('own_hits'),
  urns: block.numbers('urns'),
  text: block.texts('text'),
  words: block.texts('words'),
});

const hitColumns = (block: RowBlock) => ({
  ...headerColumns(block),
  records: block.numbers('records'),
  source: block.texts('source'),
  vendor: block.texts('vendor'),
});

function addHeader(columns: ReturnType<typeof headerColumns>, bytes: Buffer, start: number, end: number): void {
  columns.guid.addHex(bytes, start, start + GUID_BYTES);
  columns.ttl.add(bytes[start + 17] ?? 0);
  columns.hops.add(bytes[start + 18] ?? 0);
  columns.bytes.add(end - start - HEADER_BYTES);
}

/** Text and number of hashes; a malformed query has neither. Without the placeholder text of a query by hash. */
function queryOf(payload: Buffer): { text: string; urns: number } {
  const query = readable(() => parseQuery(payload));
  if (query === null) return { text: '', urns: 0 };
  const { text, urns } = query;
  return { text: text === URN_QUERY_TEXT && urns.length > 0 ? '' : text, urns: urns.length };
}

function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
