// Writes docs/measuring.md: tables, files and questions of recordings.
import { questionNames, questions } from './questions.ts';
import { type Column, tableNames, tables } from './tables.ts';

const INTRODUCTION = `# Measuring a network

A servent records what it sees of the network when \`recording.mode\` says so, and \`servent analyse\` answers questions about it. This
document is made from the sources by \`npm run docs\`. \`npm run demo -- --measure\` shows all of it in a private network.

## Recording

\`servent start --recording-mode files\` writes segments into \`recording.folder\`, by default \`recordings\` in the data folder. Rows are
in a file within half a second of being seen, and on the disk when that write is done: a crash costs at most what came in since. An open segment is a journal
(\`TABLE-NUMBER-RUN.journal\`), which this servent and its commands read; it is closed after 16 MiB or 10 minutes, or sooner with a small \`recording.maxBytes\`, and
becomes a Parquet file with the same rows (\`.parquet\`), for them and everybody else. A Parquet file has its name only when it is whole. Numbers increase whatever
the clock does. Rows that a crash has cut or a disk has changed are left out and counted. A journal of which nothing
can be read, as one of another version, is kept as \`NAME.unreadable\` and told in the log; it counts in \`recording.maxBytes\` and goes first. Several servents may record into one folder: each looks after its own segments, and after
those of others when they were left for an hour, but never sends those of others to ClickHouse.

Above \`recording.maxBytes\` the oldest segments are removed; that is logged and told as the event \`status.recording\`. A disk that cannot be written to
costs rows, which are counted in \`gnutella_recording_lost_total\`, and one line in the log; recording goes on when it works again. The
overlay waits for none of it: rows are packed in memory, at most 32 MiB, and written by a thread of their own.

\`queries.privacy\` holds for recordings too: \`hashed\` records hashes instead of words, with a salt of the run; \`counts\` records how many queries
came in and no single one; \`off\` records nothing of queries and hits. Addresses of neighbours and of servents in pongs are recorded in any case: the files
can be read by the owner of the process alone, and are not meant to be given away as they are.

\`servent recordings\` and \`GET /recordings\` list the segments.

## Tables

\`integer\` is a whole number of 64 bits, \`small\` one of 32 bits, \`text\` is UTF-8. Every table begins with the columns of the first.
`;

const FLEET = `
## A fleet

One servent sees its part of the network. Several that record into one place see more; \`servent context add NAME --api URL --token TOKEN\` names each, and
\`servent fleet\` shows them side by side: version, role, connections, library, rates, health. \`servent fleet peers\` and \`servent fleet queries --follow\` show what
all of them are connected to and are asked. A daemon that does not answer within three seconds (\`--wait\`) is a row that says so.

\`servent fleet config apply KEY VALUE\` shows what the setting changes on each daemon, then changes one after the other. A daemon counts as healthy when it has been
ready, with half of its peers or more (\`--keep\`), for 5 s in a row (\`--settle\`) within 30 s (\`--within\`). One that does not get there has its old value back, and the
rollout stops and names the daemons that were changed before. \`--dry-run\` only shows the changes.

\`conf/compose.recording.yaml\` and \`conf/kubernetes/recording.yaml\` start two ultrapeers that record into two shards of ClickHouse, each into its own, with Prometheus and
Grafana in the former. \`servent analyse QUESTION --clickhouse URL --cluster fleet\` asks both shards.
`;

const ANALYSIS = `
## Questions

\`servent analyse QUESTION\` reads the segments of \`recording.folder\`, open ones too, through DuckDB; \`--recording\` names other folders or
files, of several servents together if need be. \`--json\`, \`--csv\`, \`--plot\` and \`--svg FILE\` say what is made of the answer. DuckDB comes as an optional
dependency and is loaded when a question is asked.

With \`recording.mode\` \`clickhouse\` segments are closed every five seconds, sent to \`recording.url\` and removed when the server has acknowledged their rows; it makes
the tables itself if it may (\`servent recordings --schema\` prints them). Until then they are kept, up to \`recording.maxBytes\`, through crashes of either side,
and every row gets there once. A server that is away or whose tables have another shape is told of by one line in the log, the event \`status.recording\`
and the metric \`gnutella_recording_failing\`.

\`servent analyse QUESTION --clickhouse URL\` asks that server; with \`--cluster NAME\` all shards of a cluster in its configuration, over tables
\`all_…\` that are made if they are missing. A question during which a shard is lost says so and is run again, at most six times.

The page of a servent (\`servent web\`) asks the same questions of its own recording, under Measure, and so does \`GET /analyses/QUESTION\`: one at a time, in
60 s at most, with one thread and 512 MiB for DuckDB, and at most 1,000 rows. A servent that does not record refuses.

A query that several servents recorded has one GUID and counts once where queries are counted by their text.
`;

const CRAWLING = `
## Crawling

\`servent crawl HOST:PORT …\` asks servents for their neighbours and goes on with those: who is there, and who is connected with whom. By TCP it
shakes hands with the header \`Crawler: 0.1\`, which gtk-gnutella and LimeWire answer with lists of their ultrapeers and leaves; by UDP it sends
LIME/5, and a ping for further hosts. \`--over tcp,udp\`, the default, tries the second way where the first brought no list. Without an address it
begins with the servent of this machine and the hosts that it knows; it needs no daemon otherwise.

What is found goes into the tables \`hosts\` and \`edges\` of the recording (\`--recording DIR\`, \`--no-recording\`); \`--graphml FILE\` writes the topology for
other programs, \`--svg FILE\` a picture of it with the degrees beside those of the lecture's two models (p(d) = c·d^-1.4 up to 7 links; the same
with 5 % of hubs that have 20), \`--plot\` draws the degrees in the terminal, \`--json\` prints all of it. Degrees count the connections of hosts that
answered; the others may have more than their neighbours tell. A UDP answer has room for about 78 neighbours and names no programs but by their four letters.

| rule | \`local\` | \`lan\` | \`public\` |
| --- | --- | --- | --- |
| addresses that are asked, named ones too | loopback | loopback, private | public |
| hosts a second: \`--rate\` | 50, at most 1000 | 5, at most 100 | 5, at most 20 |
| a host is asked again | at once | after a day | after a day |
| hosts of one address in a crawl | any number | 8 | 4 |

A host that answers 403 or 503 is not asked in the other way. One that sends a header \`Crawler\` with \`no\`, \`none\`, \`never\`, \`false\` or \`0\` wants no
crawlers: its address is left alone for 30 days. Addresses on the block lists of the settings are not asked. Who was asked when stands in \`crawled.json\` in the
data folder. With \`gnutella.interface\` everything leaves from there; with \`proxy.socks\` nothing is sent, since a crawl does not go through it.
`;

const REPLAYING = `
## Replaying

\`servent replay FOLDER --to HOST:PORT\` connects to an ultrapeer as a leaf and asks it the recorded queries, at the times that they were recorded at; \`--speed 10\`
does it ten times as fast. It says how many were sent and answered, how many files were found, and what was left out and why. Recorded queries are others':
they are asked in private networks alone, \`--profile lan\` (the default) or \`local\`. Ultrapeers outside of \`local\` limit how many queries they take from a neighbour.

\`servent replay FOLDER --sim\` asks them in a virtual network of whole servents, each query at a servent drawn by the seed. Files are made of the recorded hits:
each text is shared by as many servents as answered it. Without recorded hits a stand-in is used: each text is shared by as many servents as it was
asked for, and one. The same seed gives the same run.

Left out are copies that several servents recorded, queries whose words were recorded as hashes, queries by hash (the hash is not recorded), those without a
text or longer than servents take, and rows that are not whole.
`;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const tableOf = (titles: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(titles), row(titles.map(() => '---')), ...rows.map(row)].join('\n');

export function measuringDocument(): string {
  const common = new Set(['servent', 'run', 'seq', 'at_ms']);
  const parts = tableNames.map((name, i) => {
    const { doc, columns } = tables[name];
    const shown = Object.entries<Column>(columns).filter(([column]) => i === 0 || !common.has(column));
    const rows = shown.map(([column, { type, doc: meaning }]) => [`\`${column}\``, type, meaning]);
    return `\n### ${name}\n\n${doc}\n\n${tableOf(['column', 'type', 'meaning'], rows)}\n`;
  });
  const answers = questionNames.map(name => {
    const { teaches, columns } = questions[name];
    const rows = Object.entries(columns).map(([column, meaning]) => [`\`${column}\``, meaning]);
    return `\n### ${name}\n\nTeaches ${teaches}.\n\n${tableOf(['column', 'meaning'], rows)}\n`;
  });
  return INTRODUCTION + parts.join('') + FLEET + ANALYSIS + answers.join('') + CRAWLING + REPLAYING;
}
