// Declares the tables of a recording: their columns, types and meaning. Files, databases and documentation are made from it.

/** `text`: UTF-8; `integer`: up to 2^53; `small`: up to 2^31. */
export type ColumnType = 'text' | 'integer' | 'small';

export interface Column {
  readonly type: ColumnType;
  readonly doc: string;
}

export interface Table {
  readonly doc: string;
  /** All columns, in order. */
  readonly columns: Readonly<Record<string, Column>>;
}

const text = (doc: string) => ({ type: 'text', doc }) as const;
const integer = (doc: string) => ({ type: 'integer', doc }) as const;
const small = (doc: string) => ({ type: 'small', doc }) as const;

/** Columns of every table; `servent`, `run` and `seq` together name a row. */
const common = {
  servent: text('GUID of the servent that recorded the row, 32 hexadecimal digits'),
  run: text('the run of that servent, drawn at its start, 8 hexadecimal digits'),
  seq: integer('number of the row in the run, over all tables; a missing number is a row that was dropped'),
  at_ms: integer('when it was observed, by the wall clock, in milliseconds since 1970'),
} as const;

/** Of columns that name a connection of the overlay. */
const link = small('number of the connection, as in the table `links` of the same run');

const table = <C extends Record<string, Column>>(doc: string, columns: C) => ({
  doc,
  columns: { ...common, ...columns },
});

export const tables = {
  queries: table('A query the first time it came in; none with `queries.privacy` `counts` or `off`.', {
    link,
    guid: text('its GUID, 32 hexadecimal digits; copies at other servents have the same'),
    ttl: small('TTL with which it came in'),
    hops: small('hops that it had made'),
    bytes: small('bytes of its payload'),
    own_hits: small('files of this servent that matched'),
    urns: small('number of hashes that it asks for'),
    text: text('its text, or the hashes of its words with `queries.privacy` `hashed`'),
    words: text('its words as servents match them, repeated ones too, with single spaces between'),
  }),
  query_counts: table('Queries of half a second by TTL and hops; none with `queries.privacy` `off`.', {
    ttl: small('TTL with which they came in'),
    hops: small('hops that they had made'),
    counted: small('number of queries, without duplicates'),
  }),
  hits: table('A query hit that was passed on; none with `queries.privacy` `counts` or `off`.', {
    guid: text('GUID of the query that it answers, 32 hexadecimal digits'),
    ttl: small('TTL with which it came in'),
    hops: small('hops that it had made'),
    bytes: small('bytes of its payload'),
    records: small('number of files in it'),
    source: text('GUID of the servent that has the files, 32 hexadecimal digits'),
    vendor: text('four letters of the program that answered; empty: it could not be read'),
  }),
  pongs: table('A pong of a neighbour, or one that it passed on.', {
    link,
    hops: small('hops that it had made'),
    address: text('HOST:PORT of the servent that it describes'),
    files: integer('files that it shares'),
    kibibytes: integer('KiB that it shares'),
    ultrapeer: small('1: an ultrapeer'),
    vendor: text('four letters of its program; empty: not told'),
    uptime: integer('its mean daily uptime in seconds; -1: not told'),
  }),
  links: table('A connection of the overlay that opened or closed.', {
    link,
    event: text('`opened` or `closed`'),
    peer: text('HOST:PORT of the other end'),
    direction: text('`in` or `out`'),
    role: text('what the peer is: `leaf`, `ultrapeer` or `legacy`'),
    our_role: text('what this servent is to it: `leaf` or `ultrapeer`'),
    user_agent: text('its program, as it says'),
    seconds: small('how long it was open; 0 when it opens'),
    frames_in: integer('descriptors received'),
    frames_out: integer('descriptors sent'),
    bytes_in: integer('bytes received, inflated'),
    bytes_out: integer('bytes sent, before they were deflated'),
    code: small('code of the Bye; 0: none'),
    reason: text('text of the Bye, or why the connection ended'),
  }),
  roles: table('The servent became a leaf or an ultrapeer.', {
    role: text('`leaf` or `ultrapeer`'),
    why: text('the reason'),
  }),
  traffic: table(
    'What came in since the row before, and the connections meanwhile; a row each half second in which something changed, or after ten seconds.',
    {
      span_ms: integer('milliseconds since the row before'),
      mode: text('role during that time: `leaf` or `ultrapeer`'),
      leaves: small('connections to leaves during that time'),
      ultrapeers: small('connections to ultrapeers during that time'),
      queries_in: integer('query descriptors, duplicates too'),
      duplicates_in: integer('queries seen before'),
      hits_in: integer('query hits'),
      pings_in: integer('pings'),
      pongs_in: integer('pongs'),
      pushes_in: integer('pushes'),
      dropped_in: integer('descriptors that were dropped, duplicates too'),
      bytes_in: integer('bytes on connections of the overlay, inflated'),
      bytes_out: integer('bytes sent on them, before they were deflated'),
    },
  ),
  hosts: table('A host that a crawl asked or heard of; `servent` and `run` are of the crawl.', {
    address: text('HOST:PORT'),
    state: text('`answered`, `refused`, `silent`, `unreadable`, or `left_out`: known, but not asked'),
    why: text('why it did not answer or was not asked; empty: it answered'),
    role: text('`leaf`, `ultrapeer` or `legacy`, as it says or else as its neighbours say; empty: nobody said'),
    user_agent: text('its program, as it says; by UDP its four letters'),
    uptime: integer('seconds since it was started; -1: not told'),
    ultrapeers: small('ultrapeers that it named as its neighbours'),
    leaves: small('leaves that it named'),
    way: text('how it was asked last: `tcp` or `udp`; empty: not at all'),
    ms: small('milliseconds from the question to the answer; 0: none came'),
  }),
  edges: table('A connection between two hosts, as a crawl was told; each once.', {
    host: text('HOST:PORT of a host that named the other'),
    neighbour: text('HOST:PORT of the other'),
    kind: text('`leaf`: one of the two is a leaf; `ultrapeer`: none is'),
    told: small('2: both named each other; 1: one did'),
  }),
} as const satisfies Record<string, Table>;

export type TableName = keyof typeof tables;
export const tableNames = Object.keys(tables) as TableName[];

type ValueOf<C extends Column> = C['type'] extends 'text' ? string : number;
type Columns<T extends TableName> = (typeof tables)[T]['columns'];
type Whole<T extends TableName> = {
  -readonly [C in keyof Columns<T>]: Columns<T>[C] extends Column ? ValueOf<Columns<T>[C]> : never;
};

/** A row without the columns that all tables have. */
export type RowOf<T extends TableName> = Omit<Whole<T>, keyof typeof common>;

export const isTableName = (name: string): name is TableName => Object.hasOwn(tables, name);
