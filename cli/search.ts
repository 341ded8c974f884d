// search, browse: print results as they come.
import { setTimeout as wait } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { type Client, everyItem } from '../api/client.ts';
import type { ResultView, SearchView } from '../api/control.ts';
import type { CallOf } from '../api/endpoints.ts';
import { counted, formatBitrate, formatBytes, formatPlayTime, formatRepeat, printable } from '../api/format.ts';

import { MEDIA_TYPES, type MediaType } from '../protocol/wire/media-type.ts';
import { type ClientFlags, clientCommand, findDaemon } from './connection.ts';
import { CommandError, usageError } from './failure.ts';
import { secondsUpTo, wholeNumber } from './numbers.ts';
import { givenAddress } from './overlay.ts';
import { note, print, printJson, type Terminal } from './terminal.ts';

const WAIT_SECONDS_DEFAULT = 10;
const WAIT_SECONDS_MAX = 3600;
const POLL_MS = 300;
/** Characters of an id that are shown. */
const SHORT_ID = 8;

type WaitFlags = ClientFlags & { wait: number };
type TypeFlags = WaitFlags & { type?: MediaType };
type SearchFlags = TypeFlags & { urn?: string; ttl?: number };

export function searchCommands(terminal: Terminal): Command[] {
  return [
    waitOption(clientCommand('search', 'search the network, printing results as they come'))
      .argument('[words...]', 'words that all must match')
      .option('--urn <urn>', 'search for a file by its content')
      .addOption(typeOption())
      .option(
        '--ttl <n>',
        'largest TTL of the query: 1 reaches neighbours only; the usual maximum is 4',
        wholeNumber(1, 7),
      )
      .action(async (words: string[], flags: SearchFlags) => {
        const text = words.join(' ').trim();
        if (text === '' && flags.urn === undefined) throw usageError('nothing to search for: give words, or --urn URN');
        const { urn, type, ttl } = flags;
        await follow(terminal, flags, {
          ...(text === '' ? {} : { text }),
          ...(urn === undefined ? {} : { urn }),
          ...(type === undefined ? {} : { type }),
          ...(ttl === undefined ? {} : { ttl }),
        });
      }),
    waitOption(clientCommand('browse', 'show the files of another servent'))
      .argument('<host[:port]>', 'address; the default port is 6346')
      .addOption(typeOption())
      .action(async (address: string, flags: TypeFlags) => {
        const { type } = flags;
        await follow(terminal, flags, { browse: givenAddress(address), ...(type === undefined ? {} : { type }) });
      }),
  ];
}

function typeOption(): Option {
  return new Option('--type <type>', 'only files of this type').choices(MEDIA_TYPES);
}

function waitOption(command: Command): Command {
  return command.option(
    '--wait <seconds>',
    'seconds to wait for results',
    secondsUpTo(WAIT_SECONDS_MAX),
    WAIT_SECONDS_DEFAULT,
  );
}

async function follow(terminal: Terminal, flags: WaitFlags, wanted: CallOf<'startSearch'>): Promise<void> {
  const { client } = await findDaemon(flags, terminal);
  const started = await client.startSearch({ ...wanted, duration: Math.max(1, flags.wait) });
  const repeat = formatRepeat(started, Date.now());
  if (repeat !== null && flags.json !== true) note(terminal, repeat);
  const seen = new Set<string>();
  const deadline = Date.now() + flags.wait * 1000;
  let search: SearchView;
  for (;;) {
    search = await client.search({ id: started.id });
    for (const result of await resultsOf(client, started.id)) {
      if (seen.has(result.id)) continue;
      if (flags.json !== true) printResult(terminal, result, seen.size === 0);
      seen.add(result.id);
    }
    if (search.state !== 'running' || Date.now() >= deadline) break;
    await wait(Math.max(1, Math.min(POLL_MS, deadline - Date.now())));
  }
  if (flags.json === true) printJson(terminal, { search, items: await resultsOf(client, started.id), next: null });
  if (search.state === 'failed') throw new CommandError(search.error ?? 'the search failed');
  if (flags.json === true) return;
  if (seen.size === 0) note(terminal, noResults(search));
  else {
    const [any = ''] = seen;
    note(
      terminal,
      `${counted(seen.size, 'result')}; "servent download ${started.id.slice(0, SHORT_ID)}/${any}" fetches that one; until the next search "servent download ${any}" does, too`,
    );
    if (search.cut !== null) note(terminal, search.cut);
  }
  if (search.hidden > 0)
    note(
      terminal,
      `${counted(search.hidden, 'result')} hidden that look like spam: "servent searches show ${started.id.slice(0, SHORT_ID)} --spam" shows them`,
    );
}

function noResults({ text, peers, browse, askedBefore }: SearchView): string {
  if (browse !== null) return 'no files are shared there';
  if (peers === 0) return 'no results, no connections: see "servent peers" and "servent connect HOST"';
  const hint = (text ?? '') === '' ? 'try words of its name or a longer --wait' : 'try fewer words or a longer --wait';
  const mend = askedBefore === null ? hint : 'a repeat may find nothing, see above';
  return `no results from ${counted(peers, 'neighbour')}: ${mend}`;
}

export async function resultsOf(client: Client, id: string): Promise<ResultView[]> {
  const results: ResultView[] = [];
  for await (const result of everyItem(page => client.results({ id, ...page }))) results.push(result);
  return results;
}

/** Result ids count up; a search keeps fewer than 1,000,000. */
const RESULT_WIDTH = 6;

/** From this width of the terminal on, playing time and bit rate are shown too. */
const WIDE_COLUMNS = 100;

/** Prints a result in fixed column widths; the id is what `download` accepts. */
function printResult(terminal: Terminal, result: ResultView, first: boolean): void {
  const isWide = (terminal.stdout.columns ?? 80) >= WIDE_COLUMNS;
  if (first)
    print(
      terminal,
      `${'RESULT'.padEnd(RESULT_WIDTH)}  ${'SIZE'.padStart(9)}  SOURCES  ${isWide ? ' LENGTH  KBIT/S  ' : ''}NAME`,
    );
  const id = result.id.padEnd(RESULT_WIDTH);
  const sources = String(result.sources.length).padStart(7);
  const length = formatPlayTime(result.length).padStart(7);
  const media = isWide ? `${length}  ${formatBitrate(result.bitrate).padStart(6)}  ` : '';
  print(terminal, `${id}  ${formatBytes(result.size).padStart(9)}  ${sources}  ${media}${printable(result.name)}`);
}
