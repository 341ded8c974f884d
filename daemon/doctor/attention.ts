// Derives findings from the known state of the daemon. Pure, and cheap enough for every status call.

import type { Finding } from '../../api/control.ts';
import { counted, formatBytes, formatDuration } from '../../api/format.ts';
import type { Budget } from '../../protocol/bandwidth/budget.ts';
import { LEAF_DEMANDS_DEGREE } from '../../protocol/handshake/admission.ts';
import { NETWORK_RULES } from '../../protocol/network-rules.ts';
import type { Settings } from '../../settings/settings.ts';
import type { FolderStatus } from '../library/shared-folder.ts';
import type { BlockListFault } from '../net/block-lists.ts';
import type { LostParts } from '../transfer/lost-parts.ts';

export interface Known {
  settings: Settings;
  /** Keys of changed settings that need a restart. */
  waiting: readonly string[];
  folders: readonly FolderStatus[];
  blockListFaults: readonly BlockListFault[];
  /** New path of a damaged database that this start has renamed; null: none. */
  damagedAside: string | null;
  /** Bytes of damaged changes that the database has lost at this start. */
  lostBytes: number;
  budget: Budget;
  lostParts: LostParts;
  hooks: readonly { id: string; error: string | null }[];
  /** Why the latest events could not be stored. */
  eventsTrouble: string | null;
  /** What does not work about the recording; null: nothing. */
  recordingTrouble: string | null;
  /** Why log lines are being lost; null: they are written. */
  logTrouble: string | null;
  /** Gnutella port. */
  port: number;
  udpTaken: boolean;
  /** Why nothing may leave this machine; null: it may. */
  closed: string | null;
  /** The proxy of all connections; null: none. */
  proxy: { readonly name: string; readonly trouble: string | null; readonly isolates: boolean } | null;
  /** What is wrong with the file that names the port; null: nothing. */
  portFile: string | null;
  /** Change of the wall clock against monotonic time since the start, ms. */
  clockMovedMs: number;
}

/** Backward change that is reported. Forward changes also occur when a machine sleeps. */
const CLOCK_BACK_MS = 60_000;
const LOST_NAMED = 3;

export function attention(known: Known): Finding[] {
  return [
    ...(known.closed === null ? [] : [closed(known.closed)]),
    ...proxy(known),
    ...(known.portFile === null ? [] : [portFile(known.portFile, known.port)]),
    ...(known.udpTaken && known.closed === null ? [udpTaken(known.port)] : []),
    ...folders(known),
    ...known.blockListFaults.map(blockListFinding),
    ...database(known),
    ...budget(known),
    ...lostParts(known),
    ...waiting(known),
    ...known.hooks.flatMap(hook),
    ...(known.eventsTrouble === null ? [] : [events(known.eventsTrouble)]),
    ...(known.recordingTrouble === null ? [] : [recording(known.recordingTrouble)]),
    ...(known.logTrouble === null ? [] : [log(known.logTrouble)]),
    ...openApi(known),
    ...lowDegree(known),
    ...clock(known),
  ];
}

/** An ultrapeer that nobody wants: found by the simulator, where a network of such ultrapeers had no leaves. */
function lowDegree({ settings: { profile, gnutella } }: Known): Finding[] {
  const { mode, maxUltrapeers } = gnutella;
  if (!NETWORK_RULES[profile].strict || mode === 'leaf' || maxUltrapeers >= LEAF_DEMANDS_DEGREE) return [];
  return [
    {
      name: 'links to ultrapeers',
      state: 'warning',
      detail: `leaves refuse an ultrapeer with less than ${LEAF_DEMANDS_DEGREE} links to others, and gnutella.maxUltrapeers is ${maxUltrapeers}`,
      mend: `set gnutella.maxUltrapeers to ${LEAF_DEMANDS_DEGREE} or more, or gnutella.mode to leaf`,
    },
  ];
}

export const UDP = 'reachable by UDP';

export function udpTaken(port: number): Finding {
  return {
    name: UDP,
    state: 'bad',
    detail: `UDP port ${port} is in use`,
    mend: 'stop the program that uses it, or choose another port with --port',
  };
}

function closed(detail: string): Finding {
  if (detail.includes('proxy.socks'))
    return { name: 'proxy', state: 'bad', detail, mend: 'name a proxy within its reach, or choose another --profile' };
  return {
    name: 'interface',
    state: 'bad',
    detail,
    mend: 'start the VPN that has it; "ip address" lists the interfaces of this machine, gnutella.interface names one',
  };
}

function proxy({ proxy, settings }: Known): Finding[] {
  if (proxy === null) return [];
  const name = 'proxy';
  return [
    ...(proxy.trouble === null
      ? []
      : [{ name, state: 'bad' as const, detail: proxy.trouble, mend: 'start it, or correct proxy.socks' }]),
    ...(settings.proxy.isolate && !proxy.isolates
      ? [
          {
            name,
            state: 'warning' as const,
            detail: 'proxy.isolate has no effect, as proxy.socks names a user',
            mend: 'leave the user out of proxy.socks',
          },
        ]
      : []),
  ];
}

function portFile(trouble: string, port: number): Finding {
  return {
    name: 'port file',
    state: 'warning',
    detail: `${trouble}; port ${port} stays in use`,
    mend: 'check that the VPN client forwards a port and writes it there, or remove nat.portFile',
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
        mend: 'fix the error, then run "servent rescan"; or unshare the folder',
      },
    ];
  });
}

export function blockListFinding({ path, detail }: BlockListFault): Finding {
  return {
    name: 'block list',
    state: 'bad',
    detail: `${path} ${detail}`,
    mend: 'use a text file, plain or gzip, with one block per line, P2P or DAT; or remove it from gnutella.blockLists',
  };
}

function database({ damagedAside, lostBytes }: Known): Finding[] {
  return [
    ...(damagedAside === null ? [] : [setAside(damagedAside, 'bad')]),
    ...(lostBytes === 0 ? [] : [changesLost(lostBytes)]),
  ];
}

function changesLost(bytes: number): Finding {
  return {
    name: 'database',
    state: 'bad',
    detail: `${formatBytes(bytes)} of its latest changes were damaged and are lost: keys or downloads may be missing; files are hashed again`,
    mend: 'look through the downloads, check the disk, and restore a backup with "servent restore" if something is missing',
  };
}

export function setAside(path: string, state: 'warning' | 'bad'): Finding {
  return {
    name: 'database',
    state,
    detail: `a damaged database was renamed to ${path}: its keys, downloads and file hashes are not used`,
    mend: 'restore a backup with "servent restore", or delete that folder if you do not need it',
  };
}

function lostParts({ lostParts: { count, bytes, paths } }: Known): Finding[] {
  if (count === 0) return [];
  const more = count > LOST_NAMED ? ` and ${count - LOST_NAMED} more` : '';
  return [
    {
      name: 'part files',
      state: 'warning',
      detail: `${counted(count, 'part file')} (${formatBytes(bytes)}) without a download: ${paths.slice(0, LOST_NAMED).join(', ')}${more}`,
      mend: 'restore a backup with their downloads, or delete them; "servent status --json" lists them',
    },
  ];
}

function budget({ budget: { state, used, bytes, secondsLeft } }: Known): Finding[] {
  if (state !== 'slow' && state !== 'spent') return [];
  const detail = `${formatBytes(used)} of the ${formatBytes(bytes)} of this month are used, ${formatDuration(secondsLeft)} are left`;
  const mend = 'raise limits.monthlyBytes, or wait for the next month; "servent limits" shows what holds';
  return state === 'spent'
    ? [
        {
          name: 'monthly budget',
          state: 'bad',
          detail: `${detail}: uploads and downloads are stopped, the role is leaf`,
          mend,
        },
      ]
    : [{ name: 'monthly budget', state: 'warning', detail: `${detail}: transfers are slowed down`, mend }];
}

function waiting({ waiting }: Known): Finding[] {
  if (waiting.length === 0) return [];
  const detail = `${waiting.join(', ')} ${waiting.length === 1 ? 'was' : 'were'} changed and not applied`;
  return [{ name: 'restart', state: 'warning', detail, mend: 'restart the servent' }];
}

function hook({ id, error }: Known['hooks'][number]): Finding[] {
  if (error === null) return [];
  const mend = `"servent hooks deliveries ${id}" shows the attempts; fix the receiver, or remove the hook from the configuration`;
  return [{ name: `hook ${id}`, state: 'warning', detail: `the last delivery failed: ${error}`, mend }];
}

function events(trouble: string): Finding {
  const mend = 'fix the error; events are then stored again without a restart';
  return { name: 'event log', state: 'bad', detail: `the latest events could not be stored: ${trouble}`, mend };
}

function recording(trouble: string): Finding {
  const mend =
    'mend that; "servent recordings" shows what is there, the metric gnutella_recording_lost_total what was lost';
  return { name: 'recording', state: 'bad', detail: trouble, mend };
}

function log(trouble: string): Finding {
  const mend = 'free space where standard error is written; "servent log" shows the latest lines';
  return { name: 'log', state: 'bad', detail: `log lines are lost: ${trouble}`, mend };
}

function openApi({ settings: { api } }: Known): Finding[] {
  if (/^(127\.|::1$|localhost$)/.test(api.host) || api.tlsCert !== '') return [];
  return [
    {
      name: 'API',
      state: 'warning',
      detail: `accepts calls from other machines at ${api.host} without TLS: the token can be read in transit`,
      mend: 'set api.tlsCert and api.tlsKey, or listen on 127.0.0.1 with --api-host',
    },
  ];
}

function clock({ clockMovedMs }: Known): Finding[] {
  if (clockMovedMs > -CLOCK_BACK_MS) return [];
  const detail = `went back by ${formatDuration(-clockMovedMs / 1000)} since the start: dated records may be kept longer`;
  return [{ name: 'clock', state: 'warning', detail, mend: 'set the clock, then restart the servent' }];
}
