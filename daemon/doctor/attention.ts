// What the daemon knows to be wrong without looking anywhere: pure, and cheap enough for every status.

import type { Finding } from '../../api/control.ts';
import { counted, formatBytes, formatDuration } from '../../api/format.ts';
import type { Settings } from '../../settings/settings.ts';
import type { FolderStatus } from '../library/shared-folder.ts';
import type { BlockListFault } from '../net/block-lists.ts';
import type { LostParts } from '../transfer/lost-parts.ts';

export interface Known {
  settings: Settings;
  /** Keys of settings that wait for the next start. */
  waiting: readonly string[];
  folders: readonly FolderStatus[];
  blockListFaults: readonly BlockListFault[];
  /** Where a damaged database was put at this start. */
  damagedAside: string | null;
  lostParts: LostParts;
  hooks: readonly { id: string; error: string | null }[];
  /** Why the latest events could not be stored. */
  eventsTrouble: string | null;
  /** Why lines of the log are lost now. */
  logTrouble: string | null;
  /** Of Gnutella. */
  port: number;
  udpTaken: boolean;
  /** By how much the clock moved against the time that passed, since the start. */
  clockMovedMs: number;
}

/** Of a clock that was corrected. Forward it also moves while a machine sleeps. */
const CLOCK_BACK_MS = 60_000;
const LOST_NAMED = 3;

export function attention(known: Known): Finding[] {
  return [
    ...(known.udpTaken ? [udpTaken(known.port)] : []),
    ...folders(known),
    ...known.blockListFaults.map(blockListFinding),
    ...database(known),
    ...lostParts(known),
    ...waiting(known),
    ...known.hooks.flatMap(hook),
    ...(known.eventsTrouble === null ? [] : [events(known.eventsTrouble)]),
    ...(known.logTrouble === null ? [] : [log(known.logTrouble)]),
    ...openApi(known),
    ...clock(known),
  ];
}

export const UDP = 'reachable by UDP';

export function udpTaken(port: number): Finding {
  return {
    name: UDP,
    state: 'bad',
    detail: `UDP port ${port} is taken`,
    mend: 'stop the program that has it, or choose another port with --port',
  };
}

function folders({ folders }: Known): Finding[] {
  return folders.flatMap(({ path, error, unread }) => {
    if (error === null) return [];
    return [
      {
        name: 'shared folder',
        state: unread ? 'bad' : 'warning',
        detail: error.includes(path) ? error : `${path}: ${error}`,
        mend: 'mend that, then "servent rescan"; or unshare the folder',
      },
    ];
  });
}

export function blockListFinding({ path, detail }: BlockListFault): Finding {
  return {
    name: 'block list',
    state: 'bad',
    detail: `${path} ${detail}`,
    mend: 'give a text file, plain or packed with gzip: a block a line, P2P or DAT; or take it out of gnutella.blockLists',
  };
}

function database({ damagedAside }: Known): Finding[] {
  return damagedAside === null ? [] : [setAside(damagedAside, 'bad')];
}

export function setAside(path: string, state: 'warning' | 'bad'): Finding {
  return {
    name: 'database',
    state,
    detail: `a damaged one was set aside as ${path}: keys, downloads and hashes of files in it are not used`,
    mend: 'restore a backup with "servent restore", or delete that folder when nothing in it is missed',
  };
}

function lostParts({ lostParts: { count, bytes, paths } }: Known): Finding[] {
  if (count === 0) return [];
  const more = count > LOST_NAMED ? ` and ${count - LOST_NAMED} more` : '';
  return [
    {
      name: 'part files',
      state: 'warning',
      detail: `${counted(count, 'part file')} (${formatBytes(bytes)}) of downloads that are not known: ${paths.slice(0, LOST_NAMED).join(', ')}${more}`,
      mend: 'restore the backup that has their downloads, or delete them; "servent status --json" names them',
    },
  ];
}

function waiting({ waiting }: Known): Finding[] {
  if (waiting.length === 0) return [];
  const detail = `${waiting.join(', ')} ${waiting.length === 1 ? 'was' : 'were'} changed and not taken over`;
  return [{ name: 'restart', state: 'warning', detail, mend: 'stop the servent and start it again' }];
}

function hook({ id, error }: Known['hooks'][number]): Finding[] {
  if (error === null) return [];
  const mend = `"servent hooks deliveries ${id}" shows what was tried; mend the receiver, or take the hook out of the configuration`;
  return [{ name: `hook ${id}`, state: 'warning', detail: `the last delivery failed: ${error}`, mend }];
}

function events(trouble: string): Finding {
  const mend = 'mend that, and events are kept again by themselves';
  return { name: 'event log', state: 'bad', detail: `the latest events could not be kept: ${trouble}`, mend };
}

function log(trouble: string): Finding {
  const mend = 'make room where standard error goes; the latest lines are in "servent log"';
  return { name: 'log', state: 'bad', detail: `lines of the log are lost: ${trouble}`, mend };
}

function openApi({ settings: { api } }: Known): Finding[] {
  if (/^(127\.|::1$|localhost$)/.test(api.host) || api.tlsCert !== '') return [];
  return [
    {
      name: 'API',
      state: 'warning',
      detail: `answers other machines at ${api.host} without TLS: the token can be read on the way`,
      mend: 'set api.tlsCert and api.tlsKey, or listen on 127.0.0.1 with --api-host',
    },
  ];
}

function clock({ clockMovedMs }: Known): Finding[] {
  if (clockMovedMs > -CLOCK_BACK_MS) return [];
  const detail = `went back by ${formatDuration(-clockMovedMs / 1000)} since the start: what has a date may stay longer`;
  return [
    { name: 'clock', state: 'warning', detail, mend: 'see that the clock is right, then start the servent again' },
  ];
}
