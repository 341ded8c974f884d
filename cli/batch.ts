// download --browse, --search: several results at once, whose files go into one folder.
import type { Client } from '../api/client.ts';
import type { CallOf } from '../api/endpoints.ts';
import { counted } from '../api/format.ts';
import { CommandError, usageError } from './failure.ts';
import { givenAddress } from './overlay.ts';
import { pause, stopSignal } from './signals.ts';
import { note, type Terminal } from './terminal.ts';

export interface BatchFlags {
  browse?: string;
  search?: string;
  folder?: string;
  match?: string;
  name?: string;
}

const POLL_MS = 300;
/** A list of files that takes longer is used as far as it came. */
const BROWSE_SECONDS_MAX = 120;
/** Every result has it. */
const ALL = 'size>=0';

/** Null: the flags name no several results. `what`: what else the command was given. */
export async function orderOfSeveral(
  terminal: Terminal,
  client: Client,
  what: string | undefined,
  { browse, search, folder, match, name }: BatchFlags,
): Promise<CallOf<'startDownload'> | null> {
  if (browse === undefined && search === undefined) {
    if (folder !== undefined || match !== undefined)
      throw usageError('--folder and --match choose among the results of --browse or --search');
    if (what === undefined) throw usageError('nothing to download: give a result, a link or a file, or --browse');
    return null;
  }
  if (what !== undefined) throw usageError(`${JSON.stringify(what)} is given as well as --browse or --search`);
  if (browse !== undefined && search !== undefined) throw usageError('expected --browse or --search, not both');
  if (folder !== undefined && match !== undefined) throw usageError('expected --folder or --match, not both');
  if (search !== undefined && folder === undefined && match === undefined)
    throw usageError('--search needs --match or --folder: which of its results?');
  const id = search ?? (await browsed(terminal, client, givenAddress(browse ?? '')));
  const named = name === undefined ? {} : { name };
  return { search: id, ...(folder === undefined ? { filter: match ?? ALL } : { folder }), ...named };
}

/** The id of the browse, when it has ended. */
async function browsed(terminal: Terminal, client: Client, browse: string): Promise<string> {
  const signal = stopSignal(terminal);
  const { id } = await client.startSearch({ browse, duration: BROWSE_SECONDS_MAX });
  for (;;) {
    const { state, error, results } = await client.search({ id });
    if (state === 'failed') throw new CommandError(`${browse} cannot be browsed: ${error ?? 'no reason given'}`);
    if (state === 'finished') {
      if (results === 0) throw new CommandError(`${browse} shows no files`);
      note(terminal, `${browse} shows ${counted(results, 'file')}`);
      return id;
    }
    await pause(POLL_MS, signal);
  }
}
