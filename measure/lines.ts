// Makes lines of a recording, one JSON object each, out of observations.
import { HEADER_BYTES } from '../protocol/constants.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { everyWord } from '../protocol/search/tokenizer.ts';
import { formatEndpoint } from '../protocol/wire/endpoint.ts';
import { parsePong } from '../protocol/wire/pong.ts';
import { parseQuery, URN_QUERY_TEXT } from '../protocol/wire/query.ts';
import { parseQueryHit } from '../protocol/wire/query-hit.ts';
import { Kind, type Observation } from './observation.ts';
import { type TableName, tableNames } from './tables.ts';

export interface LinesOptions {
  /** GUID of the servent, 32 hexadecimal digits. */
  readonly servent: string;
  readonly run: string;
  /** Replaces a word where words may not be recorded; null: they may. */
  readonly hash: ((word: string) => string) | null;
}

export interface Line {
  readonly table: TableName;
  /** With its line feed. */
  readonly text: string;
}

const QUERY_GUID_BYTES = 16;

/** Half of a character of two units, as JSON writes it; ClickHouse refuses all rows of an INSERT that has one. */
const HALF = /\\u[dD][89a-fA-F]/;

/** JSON of a row that every database takes. */
export function jsonOf(row: object): string {
  const json = JSON.stringify(row);
  if (!HALF.test(json)) return json;
  return JSON.stringify(row, (_, value: unknown) =>
    typeof value === 'string' ? Buffer.from(value).toString() : value,
  );
}

/** The same of a line that was written before; `row` is what it says. */
export const takenLine = (line: string, row: object): string => (HALF.test(line) ? jsonOf(row) : line);

export class Lines {
  readonly #head: string;
  readonly #hash: LinesOptions['hash'];

  constructor({ servent, run, hash }: LinesOptions) {
    this.#head = `{"servent":"${servent}","run":"${run}","seq":`;
    this.#hash = hash;
  }

  /** Null for a descriptor that cannot be read, which the overlay has counted. */
  of(observation: Observation): Line | null {
    const begin = `${this.#head}${observation.seq},"at_ms":${observation.at}`;
    switch (observation.kind) {
      case Kind.Query:
        return { table: 'queries', text: begin + this.#query(observation) };
      case Kind.Hit:
        return { table: 'hits', text: begin + hit(observation) };
      case Kind.Pong:
        return readable(() => ({ table: 'pongs', text: begin + pong(observation) }));
      case Kind.Row: {
        const table = tableNames[observation.extra];
        // the JSON of a row begins with a brace, which becomes the comma
        return table === undefined ? null : { table, text: `${begin},${observation.bytes.toString('utf8', 1)}\n` };
      }
      default:
        return null;
    }
  }

  #query({ link, extra, bytes }: Observation): string {
    const { text: asked, urns } = queryOf(bytes.subarray(HEADER_BYTES));
    let words = everyWord(asked);
    let text = asked;
    if (this.#hash !== null) {
      words = words.map(this.#hash);
      text = words.join(' ');
    }
    const joined = words.join(' ');
    // words have neither quotes nor controls
    return `,"link":${link},"guid":"${guidOf(bytes)}","ttl":${bytes[17]},"hops":${bytes[18]},"bytes":${bytes.length - HEADER_BYTES},"own_hits":${extra},"urns":${urns},"text":${JSON.stringify(text)},"words":"${joined}"}\n`;
  }
}

const guidOf = (bytes: Buffer): string => bytes.toString('hex', 0, QUERY_GUID_BYTES);

/** Text and number of hashes; a malformed query has neither. Without the placeholder text of a query by hash. */
function queryOf(payload: Buffer): { text: string; urns: number } {
  try {
    const { text, urns } = parseQuery(payload);
    return { text: text === URN_QUERY_TEXT && urns.length > 0 ? '' : text, urns: urns.length };
  } catch (error) {
    if (error instanceof ProtocolError) return { text: '', urns: 0 };
    throw error;
  }
}

function hit({ bytes }: Observation): string {
  const payload = bytes.subarray(HEADER_BYTES);
  const vendor = readable(() => parseQueryHit(payload).vendor) ?? '';
  return `,"guid":"${guidOf(bytes)}","ttl":${bytes[17]},"hops":${bytes[18]},"bytes":${payload.length},"records":${payload[0] ?? 0},"source":"${payload.toString('hex', Math.max(0, payload.length - QUERY_GUID_BYTES))}","vendor":${JSON.stringify(vendor)}}\n`;
}

function pong({ link, bytes }: Observation): string {
  const { endpoint, files, kibibytes, ultrapeer, vendor, dailyUptimeS } = parsePong(bytes.subarray(HEADER_BYTES));
  const row = {
    link,
    hops: bytes.readUInt8(18),
    address: formatEndpoint(endpoint),
    files,
    kibibytes,
    ultrapeer: ultrapeer ? 1 : 0,
    vendor: vendor ?? '',
    uptime: dailyUptimeS ?? -1,
  };
  return `,${JSON.stringify(row).slice(1)}\n`;
}

function readable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
